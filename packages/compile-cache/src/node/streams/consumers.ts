import { Buffer } from '../bytes/buffer-class.js'

type Source = AsyncIterable<string | Uint8Array>

async function bytesOf(stream: Source): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of stream) {
    chunks.push((Buffer.from as (chunk: string | Uint8Array) => Uint8Array)(chunk))
  }
  return (Buffer.concat as (list: Uint8Array[]) => Uint8Array)(chunks)
}

export { bytesOf as buffer }

export async function arrayBuffer(stream: Source): Promise<ArrayBuffer> {
  const bytes = await bytesOf(stream)
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer
}

export async function text(stream: Source): Promise<string> {
  return new TextDecoder().decode(await bytesOf(stream))
}

export async function json(stream: Source): Promise<unknown> {
  return JSON.parse(await text(stream))
}

export async function blob(stream: Source): Promise<Blob> {
  return new Blob([(await bytesOf(stream)) as Uint8Array<ArrayBuffer>])
}

export default { arrayBuffer, blob, buffer: bytesOf, json, text }
