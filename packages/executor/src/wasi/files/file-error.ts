/** Why an operation on a file failed, as the `errno` that the command is told. */
export class FileError {
  constructor(readonly errno: number) {}
}
