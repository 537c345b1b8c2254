import { originalPositionFor, TraceMap } from '@jridgewell/trace-mapping'
import type { CompileError } from '@nexus/compile-cache'
import type { GuestErrorReport } from '../guest/protocol.js'
import type { CallFailure } from './call.js'
import { type ErrorCode, RETRYABLE } from './error-code.js'
import type { ExecutionError, SourceLocation } from './execution-result.js'

const LINES_AROUND = 2

/** What is known of a handler's source when one of its calls failed. */
export interface HandlerSource {
  filename: string
  sourceMap?: string | undefined
  /** The source itself, when it was compiled as it is. */
  source?: string | undefined
}

/** A frame of a QuickJS stack: `    at name (file:line:column)` or `    at file:line:column`. */
const FRAME = /^\s*at (?:(.*?) \()?([^()]*?):(\d+):(\d+)\)?$/

interface Frame {
  name: string | undefined
  location: SourceLocation
}

/** Turns what a guest said of its failure into what the caller is told, in terms of the handler's own source. */
export function describeFailure(failure: CallFailure, handler: HandlerSource): ExecutionError {
  const { code, report, neverRetry } = failure
  const retryable = !neverRetry && RETRYABLE[code]
  const error: ExecutionError = { code, name: report.name, message: report.message, retryable }
  if (report.cause) error.cause = { name: report.cause.name, message: report.cause.message }
  const map = handler.sourceMap === undefined ? undefined : new TraceMap(handler.sourceMap)
  const frames = parseFrames(report, handler.filename).map((frame) => mapFrame(frame, map))
  if (frames.length === 0) return error

  error.stack = [`${report.name}: ${report.message}`, ...frames.map(formatFrame)].join('\n')
  const { location } = frames[0]!
  error.location = location
  const lines = sourceLines(location, handler, map)
  if (lines !== undefined) error.sourceLines = lines
  return error
}

/** What a failed compile is called here. */
export function codeOfCompileError({ code }: CompileError): ErrorCode {
  return code === 'COMPILATION_ERROR' || code === 'RESOURCE_LIMIT' ? code : 'INTERNAL_ERROR'
}

/** What the caller is told when the handler does not compile. */
export function describeCompileError(failure: CompileError): ExecutionError {
  const { message, location } = failure
  const code = codeOfCompileError(failure)
  const error: ExecutionError = {
    code,
    name: code === 'COMPILATION_ERROR' ? 'SyntaxError' : failure.name,
    message,
    retryable: RETRYABLE[code],
  }
  if (location) {
    const { file, line, column, lineText } = location
    error.location = { file, line, column }
    error.sourceLines = `> ${line} | ${lineText}`
  }
  return error
}

/** Only frames of the handler itself: the engine's and the prelude's say nothing to its author. */
function parseFrames({ stack }: GuestErrorReport, filename: string): Frame[] {
  const frames: Frame[] = []
  for (const text of stack?.split('\n') ?? []) {
    const match = FRAME.exec(text)
    if (!match || match[2] !== filename) continue
    const [, name, file] = match
    const line = Number(match[3])
    const column = Number(match[4])
    // The stack is text of the guest: a source map throws at places that cannot be.
    if (!isPosition(line) || !isPosition(column)) continue
    frames.push({ name: name || undefined, location: { file: file!, line, column } })
  }
  return frames
}

function isPosition(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0
}

function mapFrame({ name, location }: Frame, map: TraceMap | undefined): Frame {
  if (!map) return { name, location }
  const original = originalPositionFor(map, { line: location.line, column: location.column - 1 })
  if (original.source === null) return { name, location }
  return {
    name: original.name ?? name,
    location: { file: original.source, line: original.line, column: original.column + 1 },
  }
}

function formatFrame({ name, location }: Frame): string {
  const place = `${location.file}:${location.line}:${location.column}`
  return name === undefined ? `    at ${place}` : `    at ${name} (${place})`
}

function sourceLines(
  { file, line }: SourceLocation,
  handler: HandlerSource,
  map: TraceMap | undefined,
): string | undefined {
  const text = map ? map.sourcesContent?.[map.sources.indexOf(file)] : handler.source
  const lines = text?.split('\n')
  if (!lines || line > lines.length) return undefined
  const from = Math.max(1, line - LINES_AROUND)
  const to = Math.min(lines.length, line + LINES_AROUND)
  const width = String(to).length
  return lines
    .slice(from - 1, to)
    .map((content, i) => {
      const number = from + i
      return `${number === line ? '>' : ' '} ${String(number).padStart(width)} | ${content}`.trimEnd()
    })
    .join('\n')
}
