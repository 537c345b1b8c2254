import type { GuestKit, PartExports } from '../../platform/kit.js'

/** Installs FormData in the guest, and reads and writes forms as `multipart/form-data` (RFC 7578). */
export function installFormData(kit: GuestKit): PartExports['form-data'] {
  const { requireCount } = kit.need('argument-errors')
  const { Blob, File, bytesOf } = kit.need('blob')
  const { URLSearchParams } = kit.need('url')
  const { concat } = kit.need('bytes')
  const { TextEncoder, TextDecoder } = kit.need('encoding')
  const { random, floor } = Math
  const { fromCharCode } = String
  const encoder = new TextEncoder()
  type Entry = [name: string, value: string | File]

  const textOf = (value: unknown) => `${value}`.toWellFormed()
  const entryOf = (name: unknown, args: readonly unknown[]): Entry => {
    const [value, filename] = args
    if (!(value instanceof Blob)) {
      if (args.length > 1) throw new TypeError('FormData: only a Blob has a file name')
      return [textOf(name), textOf(value)]
    }
    const isNamed = args.length > 1 && filename !== undefined
    if (value instanceof File && !isNamed) return [textOf(name), value]
    const { type } = value
    const lastModified = value instanceof File ? value.lastModified : undefined
    const options = lastModified === undefined ? { type } : { type, lastModified }
    return [textOf(name), new File([value], isNamed ? textOf(filename) : 'blob', options)]
  }

  /** What is appended or deleted meanwhile counts. */
  function* walked<T>(form: object, pick: (entry: Entry) => T): IterableIterator<T> {
    for (let i = 0; i < entriesOf(form).length; i++) yield pick(entriesOf(form)[i]!)
  }
  const walk: typeof walked = (form, pick) => {
    // What is no form is an error at once, not with the first step.
    entriesOf(form)
    return walked(form, pick)
  }

  let entriesOf: (form: object) => Entry[]
  class FormData {
    #entries: Entry[] = []

    static {
      entriesOf = (form) => (form as FormData).#entries
    }
    constructor(...[form]: [form?: unknown]) {
      if (form !== undefined) throw new TypeError('FormData: there are no form elements here')
    }
    append(...args: unknown[]) {
      requireCount(args, 2, 'FormData.append')
      this.#entries.push(entryOf(args[0], args.slice(1)))
    }
    delete(...args: unknown[]) {
      requireCount(args, 1, 'FormData.delete')
      const wanted = textOf(args[0])
      this.#entries = this.#entries.filter(([own]) => own !== wanted)
    }
    get(...args: unknown[]) {
      requireCount(args, 1, 'FormData.get')
      const wanted = textOf(args[0])
      return this.#entries.find(([own]) => own === wanted)?.[1] ?? null
    }
    getAll(...args: unknown[]) {
      requireCount(args, 1, 'FormData.getAll')
      const wanted = textOf(args[0])
      return this.#entries.filter(([own]) => own === wanted).map(([, value]) => value)
    }
    has(...args: unknown[]) {
      requireCount(args, 1, 'FormData.has')
      const wanted = textOf(args[0])
      return this.#entries.some(([own]) => own === wanted)
    }
    set(...args: unknown[]) {
      requireCount(args, 2, 'FormData.set')
      const entry = entryOf(args[0], args.slice(1))
      const at = this.#entries.findIndex(([own]) => own === entry[0])
      if (at < 0) {
        this.#entries.push(entry)
        return
      }
      this.#entries = this.#entries.filter(([own], i) => i <= at || own !== entry[0])
      this.#entries[at] = entry
    }
    forEach(
      ...args: [
        callback: (value: string | File, name: string, form: FormData) => void,
        self?: unknown,
      ]
    ) {
      requireCount(args, 1, 'FormData.forEach')
      const [callback, self] = args
      if (typeof callback !== 'function')
        throw new TypeError('FormData.forEach: expected a function')
      for (const [name, value] of this) callback.call(self, value, name, this)
    }
    entries(): IterableIterator<Entry> {
      return walk(this, ([name, value]): Entry => [name, value])
    }
    keys() {
      return walk(this, ([name]) => name)
    }
    values() {
      return walk(this, ([, value]) => value)
    }
    [Symbol.iterator]() {
      return this.entries()
    }
  }

  const withCrLf = (text: string) => text.replace(/\r\n?|\n/g, '\r\n')
  const quoted = (text: string) =>
    text.replaceAll('\n', '%0A').replaceAll('\r', '%0D').replaceAll('"', '%22')

  const encodeForm = (form: globalThis.FormData) => {
    const boundary = `----formdata-nexus-${floor(random() * 1e11)
      .toString()
      .padStart(12, '0')}`
    const parts: Uint8Array[] = []
    const add = (text: string) => void parts.push(encoder.encode(text))
    for (const [name, value] of entriesOf(form)) {
      const head = `--${boundary}\r\nContent-Disposition: form-data; name="${quoted(withCrLf(name))}"`
      if (typeof value === 'string') add(`${head}\r\n\r\n${withCrLf(value)}\r\n`)
      else {
        const type = value.type || 'application/octet-stream'
        add(`${head}; filename="${quoted(value.name)}"\r\nContent-Type: ${type}\r\n\r\n`)
        parts.push(bytesOf(value))
        add('\r\n')
      }
    }
    add(`--${boundary}--\r\n`)
    const length = parts.reduce((sum, part) => sum + part.length, 0)
    return { bytes: concat(parts, length), type: `multipart/form-data; boundary=${boundary}` }
  }

  /** Each byte as the character of its number: positions stay, and `indexOf` is the engine's own. */
  const asLatin1 = (bytes: Uint8Array): string => {
    let text = ''
    for (let at = 0; at < bytes.length; at += 4096) {
      text += fromCharCode(...bytes.subarray(at, at + 4096))
    }
    return text
  }
  const utf8 = (bytes: Uint8Array) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
  const bytesOfLatin1 = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0))
  const malformed = (why: string) => new TypeError(`The body is not multipart/form-data: ${why}`)

  /** The parameters of a `Content-Disposition`. */
  const disposition = (line: string): { name?: string; filename?: string } => {
    if (!/^form-data\s*(;|$)/i.test(line)) throw malformed('a part is no form-data')
    const found: Record<string, string> = {}
    for (const [, key, quotedText, bare] of line.matchAll(/;\s*([\w*-]+)=(?:"([^"]*)"|([^;]*))/g)) {
      const text = utf8(bytesOfLatin1(quotedText ?? bare!.trim()))
      found[key!.toLowerCase()] = text
        .replace(/%0a/gi, '\n')
        .replace(/%0d/gi, '\r')
        .replace(/%22/g, '"')
    }
    const extended = /^utf-8''(.*)$/i.exec(found['filename*'] ?? '')
    if (extended) found.filename = decodeURIComponent(extended[1]!)
    return found
  }

  const parseMultipart = (bytes: Uint8Array, boundary: string): Entry[] => {
    const text = asLatin1(bytes)
    const dash = `--${boundary}`
    const entries: Entry[] = []
    let at = text.startsWith('\r\n') ? 2 : 0
    if (!text.startsWith(dash, at)) throw malformed('it does not begin with its boundary')
    at += dash.length
    for (;;) {
      if (text.startsWith('--', at)) return entries
      // White space may stand behind a boundary.
      const lineEnd = text.indexOf('\r\n', at)
      if (lineEnd < 0 || text.slice(at, lineEnd).trim() !== '') throw malformed('it is cut short')
      const hasHeaders = !text.startsWith('\r\n', lineEnd + 2)
      const headEnd = hasHeaders ? text.indexOf('\r\n\r\n', lineEnd + 2) : lineEnd
      const end = text.indexOf(`\r\n${dash}`, headEnd + (hasHeaders ? 4 : 2))
      if (headEnd < 0 || end < 0) throw malformed('it is cut short')
      let name: string | undefined
      let filename: string | undefined
      let type = 'text/plain'
      for (const line of hasHeaders ? text.slice(lineEnd + 2, headEnd).split('\r\n') : []) {
        const colon = line.indexOf(':')
        if (colon < 1) throw malformed('a part has a header without a name')
        const value = line.slice(colon + 1).trim()
        const header = line.slice(0, colon).trim().toLowerCase()
        if (header === 'content-disposition') ({ name, filename } = disposition(value))
        else if (header === 'content-type') type = value
      }
      if (name === undefined) throw malformed('a part has no name')
      const content = bytes.slice(headEnd + 4, end)
      entries.push([
        name,
        filename === undefined ? utf8(content) : new File([content], filename, { type }),
      ])
      at = end + 2 + dash.length
    }
  }

  const parseForm = (bytes: Uint8Array, type: string) => {
    const form = new FormData()
    const essence = type.split(';', 1)[0]!.trim().toLowerCase()
    if (essence === 'multipart/form-data') {
      const [, inQuotes, bare] = /;\s*boundary=(?:"((?:[^"\\]|\\.)+)"|([^;\s]+))/i.exec(type) ?? []
      const boundary = inQuotes?.replace(/\\(.)/g, '$1') ?? bare
      if (boundary === undefined) throw malformed('its content type has no boundary')
      entriesOf(form).push(...parseMultipart(bytes, boundary))
    } else if (essence === 'application/x-www-form-urlencoded') {
      entriesOf(form).push(...new URLSearchParams(new TextDecoder().decode(bytes)))
    } else {
      throw new TypeError(
        `formData(): expected a content type of multipart/form-data or application/x-www-form-urlencoded, got ${type || 'none'}`,
      )
    }
    return form
  }

  kit.expose({ FormData })
  return { FormData, encodeForm, parseForm } as unknown as PartExports['form-data']
}
