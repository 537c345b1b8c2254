import { afterAll, beforeAll, expect, it } from 'vitest'
import { QuickJSKind } from './quickjs-kind.js'
import { QuickJSTemplate } from './quickjs-template.js'

const options = {
  prelude: `() => ({ visit: () => {
    const u = new URL('https://ünï.例え.example/ä?q=ö#x'); u.host = 'faß.example'
    try { new URL('https://a_b\u00ad.\u{1F600}..example:99999') } catch {}
    return new TextDecoder().decode(new TextEncoder().encode(u.href)) + structuredClone(1)
  } })`,
  entries: ['visit'] as const,
  heapBytes: 1024 * 1024,
  maxStackBytes: 256 * 1024,
  webExtensions: true,
}
let web: QuickJSTemplate<'visit'>
let plain: QuickJSTemplate<'visit'>
beforeAll(async () => {
  web = await QuickJSTemplate.create(options)
  plain = await QuickJSTemplate.create({ ...options, webExtensions: false })
})

it('are there after a rewind, and write nowhere that a rewind does not undo', async () => {
  const instance = await web.instantiate()
  afterAll(() => instance.dispose())
  const image = Buffer.from(instance.memory())
  const visit = () => {
    instance.begin(Infinity, 64 * 1024 * 1024, () => 0)
    const text = instance.readString(instance.call(web.entries.visit))
    instance.end()
    return text
  }
  expect(visit()).toBe('https://xn--fa-hia.example/%C3%A4?q=%C3%B6#x1')
  expect(instance.memory().equals(image)).toBe(false)
  instance.rewind()
  expect(visit()).toBe('https://xn--fa-hia.example/%C3%A4?q=%C3%B6#x1')
  instance.rewind()
  // What the image does not use holds the leavings of the call: free heap.
  for (const { offset, bytes } of instance.image!.base) {
    const now = instance.memory().subarray(offset, offset + bytes.length)
    expect(now.equals(bytes)).toBe(true)
  }
})

it('are not there without the option, and no instance goes from one kind to the other', async () => {
  const kind = new QuickJSKind()
  const use = (template: QuickJSTemplate) =>
    ({ image: template.baseImage, template, isolation: 'pristine' }) as const
  const instance = await kind.create(use(plain))
  afterAll(() => instance.dispose())
  instance.begin(Infinity, 64 * 1024 * 1024, () => 0)
  expect(instance.isException(instance.call(plain.entries.visit))).toBe(true)
  instance.end()
  expect(kind.accepts(instance, use(plain))).toBe(true)
  expect(kind.accepts(instance, use(web))).toBe(false)
})
