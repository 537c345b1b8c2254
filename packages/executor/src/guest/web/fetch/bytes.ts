import type { GuestKit, PartExports } from '../../platform/kit.js'

/** What the parts that carry bodies do with bytes. */
export function installBytes(kit: GuestKit): PartExports['bytes'] {
  const concat = (chunks: readonly Uint8Array[], length: number): Uint8Array => {
    const whole = new Uint8Array(length)
    let at = 0
    for (const chunk of chunks) {
      whole.set(chunk, at)
      at += chunk.length
    }
    return whole
  }
  const streamOfBytes = (bytes: Uint8Array): ReadableStream<Uint8Array<ArrayBuffer>> => {
    const { ReadableStream } = kit.need('streams')
    return new ReadableStream({
      type: 'bytes',
      pull(controller) {
        if (bytes.length > 0) controller.enqueue(bytes.slice())
        controller.close()
        controller.byobRequest?.respond(0)
      },
    })
  }
  return { concat, streamOfBytes }
}
