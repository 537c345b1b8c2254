/** An open file of a {@link DiskFileSystem}. */
export interface DiskFile {
  stat(): Promise<{ isFile(): boolean; size: number; mode: number; mtimeMs: number }>
  read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ bytesRead: number }>
  close(): Promise<void>
}

/** What lies at a path, its own link not followed. */
export interface DiskEntryStat {
  isFile(): boolean
  size: number
  mode: number
  mtimeMs: number
}

/** The calls of `node:fs/promises` that the disk tier makes; tests make them fail. */
export interface DiskFileSystem {
  chmod(path: string, mode: number): Promise<void>
  lstat(path: string): Promise<DiskEntryStat>
  mkdir(path: string, options: { recursive: true; mode: number }): Promise<unknown>
  open(path: string, flags: number): Promise<DiskFile>
  readdir(path: string): Promise<string[]>
  rename(from: string, to: string): Promise<void>
  stat(path: string): Promise<{ mode: number; uid: number }>
  unlink(path: string): Promise<void>
  writeFile(path: string, data: Uint8Array, options: { flag: 'wx'; mode: number }): Promise<void>
}
