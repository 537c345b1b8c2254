import { homedir, tmpdir } from 'node:os'
import { describeThrown, type ThrownDescription } from '@nexus/diagnostics'

/** Where a host keeps its files: absolute paths that start here say nothing to a guest but where it runs. */
const ROOTS = [
  ...new Set([process.cwd(), homedir(), tmpdir()]),
  ...'home Users root var tmp private usr opt srv etc mnt media proc sys dev run app'
    .split(' ')
    .map((name) => `/${name}`),
].filter((root) => root !== '/')
const HOST_PATH = new RegExp(
  `(?:(?:file://|(?<![\\w.:/\\\\]))(?:${ROOTS.map(escapeRegExp).join('|')})[/\\\\]|(?<![\\w])[A-Za-z]:\\\\)[^\\s'"\`<>|,;)]*`,
  'g',
)

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
}

/** What a guest is told of an error of the host: name, message, code and causes, no stack and no host paths. */
export function guestError(thrown: unknown): Error {
  return errorOf(describeThrown(thrown))
}

function errorOf({ name, message, code, cause }: ThrownDescription): Error {
  const told = new Error(withoutPaths(message))
  told.name = name
  if (code !== undefined) Object.assign(told, { code })
  if (cause !== undefined) told.cause = errorOf(cause)
  return told
}

function withoutPaths(message: string): string {
  return message.replace(HOST_PATH, '(a path of the host)')
}
