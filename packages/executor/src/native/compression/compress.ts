import {
  createDeflate,
  createDeflateRaw,
  createGunzip,
  createGzip,
  createInflate,
  createInflateRaw,
} from 'node:zlib'
import type { CallBound } from '../native-objects.js'
import { copyUnits } from '../native-price.js'
import type { NativeService } from '../native-service.js'

type Codec = ReturnType<typeof createGzip>

const CODECS: Readonly<Record<string, () => Codec>> = {
  'compress gzip': createGzip,
  'compress deflate': createDeflate,
  'compress deflate-raw': createDeflateRaw,
  'decompress gzip': createGunzip,
  'decompress deflate': createInflate,
  'decompress deflate-raw': createInflateRaw,
}
/** What the windows and tables of one are. */
const CODEC_BYTES = 300 * 1024
/** One answer has at most this much and what zlib had at hand then; the guest asks again for more. */
const MAX_OUTPUT_BYTES = 1024 * 1024
const SLACK_BYTES = 128 * 1024
/** Compressing a byte, and unpacking to a byte, in units. */
const UNITS_PER_BYTE_IN = 1 / 20
const UNITS_PER_BYTE_OUT = 1 / 200

/** `(kind)`: opens a codec such as `compress gzip`; its id, as text. It is of the call that opened it, and does not freeze. */
export const openCodec: NativeService = ([kind], { objects, memoryLimitBytes }) => {
  const create = CODECS[String(kind)]
  if (!create || !Object.hasOwn(CODECS, String(kind)))
    throw new TypeError('There is no such compression')
  return {
    what: 'Opening a compression stream',
    units: copyUnits(0),
    outputBytes: 16,
    run: () => String(objects.add(new CodecStream(create()), CODEC_BYTES, memoryLimitBytes)),
  }
}

/**
 * `(id, bytes, isLast)`: what comes out when these bytes go in, after a byte that says whether there is more; for that the
 * guest asks without bytes.
 */
export const runCodec: NativeService = ([id, bytes, isLast], { objects }) => {
  const codec = objects.get(id)
  if (!(codec instanceof CodecStream) || !(bytes instanceof Uint8Array)) {
    throw new TypeError('Expected a compression stream and bytes')
  }
  return {
    what: `Compressing or unpacking ${bytes.length} bytes`,
    units:
      copyUnits(bytes.length) +
      bytes.length * UNITS_PER_BYTE_IN +
      MAX_OUTPUT_BYTES * UNITS_PER_BYTE_OUT,
    outputBytes: MAX_OUTPUT_BYTES + SLACK_BYTES,
    runLater: () => codec.run(bytes, isLast === 1),
  }
}

/** One codec of zlib, chunk by chunk: it stands still while what it gives is not taken. */
class CodecStream implements CallBound {
  readonly #codec: Codec
  /** Bytes that went in are not all worked off. */
  #isBusy = false
  #isLast = false
  #error: Error | undefined
  #wake = () => {}

  constructor(codec: Codec) {
    this.#codec = codec
    codec.on('readable', () => this.#wake())
    codec.on('end', () => this.#done())
    codec.on('error', (error) => {
      this.#error = error
      this.#wake()
    })
  }

  get openName(): string | undefined {
    return this.#isLast && !this.#isBusy ? undefined : 'a compression stream that is at work'
  }

  async run(bytes: Uint8Array, isLast: boolean): Promise<Uint8Array> {
    if (bytes.length > 0 || isLast) this.#put(bytes, isLast)
    const chunks: Uint8Array[] = [new Uint8Array(1)]
    let length = 0
    while (length < MAX_OUTPUT_BYTES) {
      if (this.#error) throw invalid(this.#error)
      const chunk: Buffer | null = this.#codec.read()
      if (chunk) {
        chunks.push(chunk)
        length += chunk.length
      } else if (this.#isBusy) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      } else return Buffer.concat(chunks)
    }
    const answer = Buffer.concat(chunks)
    answer[0] = 1
    return answer
  }

  #put(bytes: Uint8Array, isLast: boolean): void {
    if (this.#isBusy || this.#isLast) throw new TypeError('The compression stream takes no more')
    this.#isBusy = true
    this.#isLast = isLast
    // The end is reached when all was read; the event says so.
    if (isLast) this.#codec.end(bytes)
    else this.#codec.write(bytes, () => this.#done())
  }

  #done(): void {
    this.#isBusy = false
    this.#wake()
  }
}

/** As the Compression standard says. */
function invalid({ message }: Error): TypeError {
  return new TypeError(`The compressed data is not valid: ${message}`)
}
