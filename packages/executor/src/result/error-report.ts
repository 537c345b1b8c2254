import { originalPositionFor, type TraceMap } from '@jridgewell/trace-mapping'
import type { CompileError } from '@nexus/compile-cache'
import type { CallFailure } from '../call/call.js'
import type { GuestErrorReport } from '../guest/protocol.js'
import { clipLine, clipText } from './clip-text.js'
import { type ErrorCode, RETRYABLE } from './error-code.js'
import type { ErrorLocation, ExecutionError } from './execution-result.js'
import type { Redact } from './redactor.js'
import { sourceMapOf } from './source-maps.js'

const LINES_AROUND = 2
/** The longest line of source that an error shows, in UTF-16 units. */
const MAX_LINE_LENGTH = 200
/** No error type has a longer name, and a guest may choose any. */
const MAX_NAME_LENGTH = 256
/** The longest message and the longest stack. */
const MAX_TEXT_LENGTH = 16_384
const LINE_FEED = 0x0a

/** What is known of a handler's source when one of its calls failed. */
export interface HandlerSource {
  filename: string
  sourceMap?: string | undefined
  /** The source itself, when it was compiled as it is. */
  source?: string | undefined
}

/** A frame of a QuickJS stack: `    at name (file:line:column)` or `    at file:line:column`. */
const FRAME = /^\s*at (?:(.*?) \()?([^()]*?):(\d+):(\d+)\)?$/

/** Names in source maps that @nexus/compile-cache gives its own modules: what stands in for one of Node's, and Node's. */
const STAND_IN = /^stand-in:/
const OF_PLATFORM = /^node(?:-require|-globals)?:/

interface Frame {
  name: string | undefined
  location: ErrorLocation
}

/**
 * Turns what a guest said of its failure into what the caller is told, in terms of the handler's own source.
 *
 * @param redact takes secrets out of each text, before it is cut
 */
export function describeFailure(
  failure: CallFailure,
  handler: HandlerSource,
  redact: Redact,
): ExecutionError {
  const clip = (text: string, maxLength = MAX_TEXT_LENGTH) => clipText(redact(text), maxLength)
  const { code, report, neverRetry } = failure
  const retryable = !neverRetry && RETRYABLE[code]
  const name = clip(report.name, MAX_NAME_LENGTH)
  const error: ExecutionError = { code, name, message: clip(report.message), retryable }
  const { cause } = report
  if (cause) error.cause = { name: clip(cause.name, MAX_NAME_LENGTH), message: clip(cause.message) }
  const map = sourceMapOf(handler.sourceMap)
  const frames = parseFrames(report, handler.filename)
    .map((frame) => mapFrame(frame, map))
    .filter(({ location }) => !STAND_IN.test(location.file))
  if (frames.length === 0) return error

  // Of the texts that are redacted already: inside the stack, the end of the message is no end of a text.
  const head = `${error.name}: ${error.message}`
  error.stack = clip([head, ...frames.map(formatFrame)].join('\n'))
  const { location } = frames.find((frame) => !OF_PLATFORM.test(frame.location.file)) ?? frames[0]!
  error.location = location
  const lines = sourceLines(location, handler, map, redact)
  if (lines !== undefined) error.sourceLines = lines
  return error
}

/** What a failed compile is called here. */
export function codeOfCompileError({ code }: CompileError): ErrorCode {
  if (code === 'IMPORT_REFUSED') return 'COMPILATION_ERROR'
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
    error.sourceLines = `> ${line} | ${clipLine(lineText, MAX_LINE_LENGTH, column)}`
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
  { file, line, column }: ErrorLocation,
  handler: HandlerSource,
  map: TraceMap | undefined,
  redact: Redact,
): string | undefined {
  const text = map ? map.sourcesContent?.[map.sources.indexOf(file)] : handler.source
  const from = Math.max(1, line - LINES_AROUND)
  const lines = text == null ? [] : linesOf(text, from, line + LINES_AROUND)
  if (from + lines.length <= line) return undefined
  const width = String(from + lines.length - 1).length
  return lines
    .map((content, i) => {
      const number = from + i
      const isPlace = number === line
      const shown = clipLine(redact(content), MAX_LINE_LENGTH, isPlace ? column : 1)
      return `${isPlace ? '>' : ' '} ${String(number).padStart(width)} | ${shown}`.trimEnd()
    })
    .join('\n')
}

/** The lines `from` to `to` of a text, as far as it has them. Makes no list of all: there may be millions. */
function linesOf(text: string, from: number, to: number): string[] {
  const start = startOfLine(text, from)
  if (start === undefined) return []
  let end = start
  for (let line = from; line <= to && end < text.length; line++) {
    const found = text.indexOf('\n', line === from ? start : end + 1)
    end = found < 0 ? text.length : found
  }
  return text.slice(start, end).split('\n')
}

function startOfLine(text: string, line: number): number | undefined {
  let at = 0
  for (let left = line - 1; left > 0; at++) {
    if (at >= text.length) return undefined
    if (text.charCodeAt(at) === LINE_FEED) left--
  }
  return at
}
