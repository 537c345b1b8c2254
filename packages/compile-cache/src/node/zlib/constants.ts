import * as all from 'unenv/node/internal/zlib/constants'

/** The numbers of zlib and brotli. */
export const constants: Readonly<Record<string, number>> = Object.freeze({ ...all })
