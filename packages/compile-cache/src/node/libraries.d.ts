/** Libraries without types that the modules of the platform are made of. */
declare module 'unenv/node/url' {
  const url: typeof import('node:url')
  export default url
}
declare module 'unenv/node/querystring' {
  const querystring: typeof import('node:querystring')
  export default querystring
}
declare module 'unenv/node/internal/os/constants' {
  export const errno: Record<string, number>
  export const signals: Record<string, number>
  export const priority: Record<string, number>
  export const dlopen: Record<string, number>
  export const UV_UDP_REUSEADDR: number
}
declare module '@chainner/node-path' {
  const path: typeof import('node:path')
  export default path
}
declare module 'readable-stream' {
  const stream: Record<string, unknown>
  export default stream
}
declare module 'readable-stream/lib/stream.js' {
  const stream: typeof import('node:stream') & Record<string, unknown>
  export default stream
}
declare module 'readable-stream/lib/stream/promises.js' {
  const promises: typeof import('node:stream/promises')
  export default promises
}
declare module 'punycode/punycode.es6.js' {
  const punycode: typeof import('node:punycode')
  export default punycode
}
declare module '@pkgjs/parseargs' {
  export const parseArgs: typeof import('node:util').parseArgs
}
declare module 'unenv/node/internal/http/constants' {
  export const METHODS: string[]
  export const STATUS_CODES: Record<number, string>
}
declare module 'unenv/node/internal/zlib/constants' {
  export const Z_NO_FLUSH: number
}
