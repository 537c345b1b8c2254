import JSZip from 'jszip'
export default async () => {
  const z = new JSZip()
  z.file('a.txt', 'hello '.repeat(100), { date: new Date(0) })
  z.folder('f').file('b.bin', new Uint8Array([1, 2, 3]), { date: new Date(0) })
  const b = await z.generateAsync({ type: 'uint8array', compression: 'DEFLATE' })
  const n = await z.generateAsync({ type: 'nodebuffer' })
  const back = await JSZip.loadAsync(b)
  const str = await z.generateAsync({ type: 'base64' })
  return [
    b.length,
    n.constructor.name,
    n.length,
    await back.file('a.txt').async('string'),
    [...(await back.file('f/b.bin').async('uint8array'))],
    Object.keys(back.files),
    str.length,
    JSZip.support,
  ]
}
