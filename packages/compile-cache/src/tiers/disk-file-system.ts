/** The calls of `node:fs/promises` that the disk tier makes; tests make them fail. */
export interface DiskFileSystem {
  mkdir(path: string, options: { recursive: true }): Promise<unknown>
  readdir(path: string): Promise<string[]>
  readFile(path: string): Promise<Uint8Array>
  rename(from: string, to: string): Promise<void>
  stat(path: string): Promise<{ size: number; mtimeMs: number }>
  unlink(path: string): Promise<void>
  writeFile(path: string, data: Uint8Array, options: { flag: 'wx' }): Promise<void>
}
