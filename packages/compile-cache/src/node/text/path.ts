import nodePath from '@chainner/node-path'

const path = { ...nodePath.posix } as typeof nodePath
const windows = nodePath.win32 as typeof nodePath & { normalize(path: string): string }
const { normalize: normalizeWindows, toNamespacedPath: namespaced } = windows

/** What was no path of a drive must not become one: Node has this since CVE-2024-36139, the library is older. */
windows.normalize = (text) => {
  const normal = normalizeWindows(text)
  if (/^[\\/]|^[A-Za-z]:/.test(text) || !text.includes(':')) return normal
  return /^[A-Za-z]:/.test(normal) || /:(?:$|[\\/])/.test(text) ? `.\\${normal}` : normal
}
windows.toNamespacedPath = (text) => {
  const found = namespaced(text)
  if (found !== text || typeof text !== 'string' || text === '') return found
  const resolved = windows.resolve(text)
  return resolved.length <= 2 ? text : resolved
}
Object.assign(path, { posix: path, win32: windows })
Object.assign(windows, { posix: path, win32: windows })

export const {
  _makeLong,
  basename,
  delimiter,
  dirname,
  extname,
  format,
  isAbsolute,
  join,
  normalize,
  parse,
  posix,
  relative,
  resolve,
  sep,
  toNamespacedPath,
  win32,
} = path as typeof path & { _makeLong: unknown }
export default path
