/** A file that a command gets, by its absolute path. */
export interface NamedFile {
  readonly path: string
  readonly bytes: Uint8Array
}
