import { describeThrown } from '@nexus/diagnostics'
import type { BuildFailure, Message } from 'esbuild'
import { describeAt } from '../engine/code-frame.js'
import { CompileError, type SourceLocation } from '../errors.js'
import { ImportRefusal } from '../import-gate/import-refusal.js'
import { isBuiltin } from '../platform/platform-loader.js'
import { type ImportFailure, NAMESPACE } from './gated-build.js'
import type { ImportGraph } from './import-graph.js'
import { packageOf } from './package-of.js'

const MAX_ERRORS_SHOWN = 5

/** A failed build, with what is known of its imports. */
type FailedBuild = BuildFailure & { graph?: ImportGraph }

/** What a failed build means for the author of the handler. */
export function toBundleError(error: unknown, filename: string): CompileError {
  if (error instanceof ImportRefusal) return refusalError(error, filename, undefined)
  if (!isBuildFailure(error)) return toCompileError(error, filename)
  return refusedImport(error, filename) ?? missingBuiltin(error) ?? toCompileError(error, filename)
}

/** What esbuild threw, as an error of this package. */
export function toCompileError(error: unknown, filename: string): CompileError {
  if (error instanceof CompileError) {
    return new CompileError(error.code, `Cannot compile ${filename}: ${error.message}`, {
      cause: error.cause,
    })
  }
  if (!isBuildFailure(error)) {
    const reason = describeThrown(error).message
    return new CompileError(
      'INTERNAL_ERROR',
      `Cannot compile ${filename}: esbuild does not run: ${reason}`,
      { cause: error },
    )
  }
  const texts = error.errors.slice(0, MAX_ERRORS_SHOWN).map((message) => {
    const location = locationOf(message)
    const text = plain(message.text)
    return location ? describeAt(location, text) : `${filename}: ${text}`
  })
  const hidden = error.errors.length - texts.length
  if (hidden > 0) texts.push(`… and ${hidden} more errors`)
  return new CompileError('COMPILATION_ERROR', texts.join('\n\n'), {
    location: error.errors[0] && locationOf(error.errors[0]),
    cause: error,
  })
}

export function isBuildFailure(error: unknown): error is FailedBuild {
  return error instanceof Error && Array.isArray((error as Partial<BuildFailure>).errors)
}

/** Where esbuild found a fault. */
export function locationOf(message: Message): SourceLocation | undefined {
  if (!message.location) return undefined
  const { file, line, column, lineText } = message.location
  // esbuild counts columns in UTF-8 bytes from 0.
  const before = Buffer.from(lineText).subarray(0, column).toString()
  return { file: plain(file), line, column: before.length + 1, lineText }
}

function refusedImport(error: FailedBuild, filename: string): CompileError | undefined {
  for (const message of error.errors) {
    const { refusal } = detailOf(message)
    if (refusal) return refusalError(refusal, filename, message)
  }
  return undefined
}

function refusalError(
  refusal: ImportRefusal,
  filename: string,
  message: Message | undefined,
): CompileError {
  const location = message && locationOf(message)
  const { code, rule } = refusal
  const asWritten = location && message.location!.length > 0 ? writtenAt(message) : undefined
  const what = asWritten === undefined ? unlocatedRead(refusal) : `Cannot import ${asWritten}`
  const text = `${what}: ${refusal.message}.`
  return new CompileError(code, location ? describeAt(location, text) : `${filename}: ${text}`, {
    location,
    rule,
  })
}

/** What no import asked for: a configuration did. */
function unlocatedRead({ asked }: ImportRefusal): string {
  if (!asked) return 'Cannot read a file'
  const path = asked.path.length > 200 ? `${asked.path.slice(0, 200)}…` : asked.path
  return `Cannot read ${JSON.stringify(path)} for ${asked.by}`
}

/** The specifier as the author wrote it, quotes included. */
function writtenAt({ location }: Message): string {
  const { lineText, column, length } = location!
  const written = Buffer.from(lineText)
    .subarray(column, column + length)
    .toString()
  return written.length > 200 ? `${written.slice(0, 200)}…` : written
}

/** An import of a Node built-in, told with the package that wants it and the imports that lead to it. */
function missingBuiltin(error: FailedBuild): CompileError | undefined {
  const message = error.errors.find((candidate) => builtinOf(candidate) !== undefined)
  if (!message) return undefined
  const builtin = builtinOf(message)!
  const location = locationOf(message)
  const chain = location && error.graph?.describeChain(location.file, builtin)
  const who = location && packageOf(location.file)
  const text = [
    who === undefined ? `Cannot import "${builtin}"` : `Cannot bundle the package "${who}"`,
    `: it needs the Node.js built-in "${builtin}", which the sandbox does not have.`,
    chain === undefined ? '' : `\nImport chain: ${chain}`,
  ].join('')
  return new CompileError('COMPILATION_ERROR', location ? describeAt(location, text) : text, {
    location,
    cause: error,
  })
}

/** The built-in that an import could not do without: the plugin names it, or esbuild does. */
function builtinOf(message: Message): string | undefined {
  const { builtin } = detailOf(message)
  const specifier = builtin ?? /^Could not resolve "([^"]*)"$/.exec(message.text)?.[1]
  return specifier !== undefined && isBuiltin(specifier) ? specifier : undefined
}

function detailOf({ detail }: Message): ImportFailure {
  return typeof detail === 'object' && detail !== null ? detail : {}
}

/** esbuild puts the namespace before names. */
function plain(text: string): string {
  return text.startsWith(`${NAMESPACE}:`)
    ? text.slice(NAMESPACE.length + 1)
    : text.replaceAll(`"${NAMESPACE}:`, '"')
}
