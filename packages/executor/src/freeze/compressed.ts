import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib'
import { PoolError } from '@nexus/instance-pool'

/** The lowest level that gains on what differs between two memories; higher ones gain little and take many times as long. */
const QUALITY = 1

/** Compresses what differs between two memories. */
export function compressed(difference: Uint8Array): Buffer {
  return brotliCompressSync(difference, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: QUALITY,
      [constants.BROTLI_PARAM_SIZE_HINT]: difference.length,
    },
  })
}

/**
 * The opposite of {@link compressed}.
 *
 * @param maxBytes more is refused while it is unpacked
 * @throws PoolError `IMAGE_REFUSED`
 */
export function decompressed(bytes: Uint8Array, maxBytes: number): Buffer {
  try {
    return brotliDecompressSync(bytes, { maxOutputLength: maxBytes })
  } catch (cause) {
    throw new PoolError('IMAGE_REFUSED', 'The image of the sandbox cannot be unpacked', { cause })
  }
}
