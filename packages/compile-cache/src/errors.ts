import type { ImportRule } from './import-gate/import-refusal.js'

/** Why a compile failed; stable across versions. */
export type CompileErrorCode =
  /** The source, or a file it imports, is wrong. */
  | 'COMPILATION_ERROR'
  /** The handler imports a file that it may not read; `rule` says why. */
  | 'IMPORT_REFUSED'
  /** The source is within the language but exceeds a limit: size, nesting, memory or time. */
  | 'RESOURCE_LIMIT'
  /** An option, an argument or an environment variable has a wrong value. */
  | 'INVALID_OPTIONS'
  /** The compiler was used after `close()`, or closed while it compiled. */
  | 'CLOSED'
  /** The installation is not whole: the worker thread or esbuild cannot start. */
  | 'INTERNAL_ERROR'

/** A place in a source file. */
export interface SourceLocation {
  /** The file as named by the caller, or relative to `rootDir`. */
  file: string
  /** Line number, from 1. */
  line: number
  /** Column in UTF-16 code units, from 1. */
  column: number
  /** The text of that line. */
  lineText: string
}

/**
 * Every error that `@nexus/compile-cache` throws.
 *
 * @example
 * ```ts
 * try {
 *   await compiler.compile('export default () => {')
 * } catch (error) {
 *   if (error instanceof CompileError) console.error(error.code, error.location?.line)
 * }
 * ```
 */
export class CompileError extends Error {
  /** Tells this class from other errors, also where `instanceof` cannot: across copies of the package. */
  override readonly name = 'CompileError'
  /** Stable, for programs. */
  readonly code: CompileErrorCode
  /** Where the source is wrong, when that is known. */
  readonly location: SourceLocation | undefined
  /** The rule that refused an import, or the limit of size that it broke. */
  readonly rule: ImportRule | undefined

  /**
   * @param message for people
   * @param details what else is known
   */
  constructor(
    code: CompileErrorCode,
    message: string,
    details: {
      location?: SourceLocation | undefined
      rule?: ImportRule | undefined
      cause?: unknown
    } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.location = details.location
    this.rule = details.rule
  }
}
