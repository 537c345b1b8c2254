import { promisify } from 'node:util'
import zlib from 'node:zlib'
import { outcomes } from './outcomes.js'

const any = (value: unknown) => value as never
const TEXT = 'some text, some text, some text é '.repeat(20)
const PAIRS = [
  ['gzipSync', 'gunzipSync'],
  ['deflateSync', 'inflateSync'],
  ['deflateRawSync', 'inflateRawSync'],
  ['brotliCompressSync', 'brotliDecompressSync'],
  ['gzipSync', 'unzipSync'],
] as const
const codeOf = (run: () => unknown) => () => {
  try {
    return run()
  } catch (error) {
    return [(error as Error).name, (error as { code?: string }).code]
  }
}
const through = (stream: NodeJS.ReadWriteStream, data: unknown) =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () => resolve(Buffer.concat(chunks)))
    stream.on('error', (error) => reject(error))
    stream.end(data as never)
  })

export default () =>
  outcomes([
    ...PAIRS.flatMap(([pack, unpack]) => [
      () => zlib[unpack](zlib[pack](TEXT)).toString() === TEXT,
      () => zlib[pack](TEXT).equals(zlib[pack](Buffer.from(TEXT))),
      () => zlib[pack](TEXT),
      codeOf(() => zlib[unpack](Buffer.from('garbage in, error out'))),
      codeOf(() => zlib[unpack](zlib[pack](TEXT), { maxOutputLength: 10 })),
      codeOf(() => zlib[pack](any(5))),
    ]),
    () => zlib.deflateSync(TEXT, { level: 9 }),
    () => zlib.deflateSync(TEXT, { level: 0 }).length,
    () =>
      promisify(zlib.gzip)(TEXT)
        .then((packed) => promisify(zlib.gunzip)(packed))
        .then(String),
    () => promisify(zlib.inflate)(Buffer.from('x')).catch((error) => error.code),
    () =>
      through(zlib.createGzip(), TEXT)
        .then((packed) => through(zlib.createGunzip(), packed))
        .then(String),
    () => through(zlib.createInflate(), 'nope').catch((error) => error.code),
    () => [
      zlib.constants.Z_BEST_COMPRESSION,
      zlib.constants.BROTLI_PARAM_QUALITY,
      zlib.constants.Z_DATA_ERROR,
    ],
  ])
