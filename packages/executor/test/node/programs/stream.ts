// biome-ignore-all lint/complexity/noCommaOperator: each case is one expression
// biome-ignore-all lint/style/useTemplate: as a handler may write it
import stream, {
  Duplex,
  finished,
  PassThrough,
  pipeline,
  Readable,
  Transform,
  Writable,
} from 'node:stream'
import consumers from 'node:stream/consumers'
import promises from 'node:stream/promises'
import { outcomes } from './outcomes.js'

const upper = () =>
  new Transform({ transform: (chunk, _encoding, done) => done(null, String(chunk).toUpperCase()) })
const sink = (into: unknown[], options = {}) =>
  new Writable({
    ...options,
    write: (chunk, encoding, done) => (into.push([String(chunk), encoding]), done()),
  })

export default () =>
  outcomes([
    () => consumers.text(Readable.from(['a', 'b', 'é'])),
    () => consumers.json(Readable.from(['{"a"', ':1}'])),
    () => consumers.buffer(Readable.from([Buffer.from('x'), Buffer.from('y')])),
    () =>
      Readable.from([1, 2, 3, 4])
        .filter((n) => n % 2 === 0)
        .map((n) => n * 10)
        .toArray(),
    () => Readable.from([1, 2, 3]).reduce((a, b) => a + b, 0),
    async () => {
      const into: unknown[] = []
      await promises.pipeline(Readable.from(['ab', 'cd']), upper(), sink(into))
      return into
    },
    () =>
      promises.pipeline(
        Readable.from(['x']),
        new Transform({ transform: (_chunk, _encoding, done) => done(new Error('broken')) }),
        new PassThrough(),
      ),
    () =>
      new Promise((resolve) =>
        pipeline(Readable.from(['x']), upper(), sink([]), (error) => resolve(error ?? 'done')),
      ),
    async () => {
      const order: string[] = []
      const readable = new Readable({
        read() {
          this.push('one')
          this.push('two')
          this.push(null)
        },
        encoding: 'utf8',
      })
      readable
        .on('data', (chunk) => order.push(chunk))
        .on('end', () => order.push('end'))
        .on('close', () => order.push('close'))
      await new Promise((resolve) => finished(readable, resolve))
      await new Promise((resolve) => setTimeout(resolve, 2))
      return order
    },
    async () => {
      const seen = []
      for await (const chunk of new PassThrough({ objectMode: true }).end({ a: 1 }))
        seen.push(chunk)
      return seen
    },
    () => {
      const writable = new Writable({ highWaterMark: 3, write() {} })
      return [
        writable.write('ab'),
        writable.write('cd'),
        writable.writableLength,
        writable.writableNeedDrain,
        writable.writableHighWaterMark,
      ]
    },
    () =>
      new Promise((resolve) =>
        new Writable({ write: (_c, _e, done) => done(new Error('w')) })
          .on('error', resolve)
          .write('x'),
      ),
    () =>
      new Promise((resolve) => {
        const w = sink([])
        w.end()
        w.on('error', resolve)
        w.write('late')
      }),
    async () => {
      const readable = new Readable({ read() {} })
      readable.destroy(new Error('destroyed'))
      return new Promise((resolve) =>
        readable.on('error', (error) => resolve([error.message, readable.destroyed])),
      )
    },
    () => new Promise((resolve) => new Readable().on('error', resolve).resume()),
    () =>
      Readable.from([1]) instanceof Readable &&
      Readable.from([1]) instanceof stream &&
      new Duplex({ read() {} }) instanceof Writable,
    () => [typeof stream.Stream, stream.Readable === Readable, stream.promises === promises],
    async () => {
      const d = Duplex.from(async function* (source: AsyncIterable<string>) {
        for await (const c of source) yield String(c) + '!'
      } as never)
      d.end('x')
      return consumers.text(d)
    },
    () => new Writable({ write() {} }).write(null as never),
    () => {
      try {
        return new Writable({ write() {} }).write(5 as never)
      } catch (error) {
        return (error as { code?: string }).code
      }
    },
    () =>
      promises.finished(new PassThrough().end().resume()).then(
        () => 'fin',
        (error) => error,
      ),
    () => stream.getDefaultHighWaterMark(true),
    () =>
      (stream as unknown as { compose(...parts: unknown[]): object }).compose(upper(), upper())
        .constructor.name,
    () => consumers.text(Readable.fromWeb(new Blob(['aé', 'b']).stream() as never)),
    () => Readable.fromWeb(new Response('x').body as never) instanceof Readable,
    async () => {
      const seen = []
      const source = Readable.from([1, { a: 2 }, 3])
      for await (const chunk of Readable.toWeb(source) as unknown as AsyncIterable<unknown>)
        seen.push(chunk)
      return seen
    },
    () => new Response(Readable.toWeb(Readable.from([Buffer.from('sent')])) as never).text(),
    async () => {
      const reader = Readable.toWeb(
        new Readable({
          read() {
            this.destroy(new Error('broken'))
          },
        }),
      ).getReader()
      return reader.read()
    },
    async () => {
      const source = new Readable({ read() {} })
      const closed = new Promise((resolve) => source.on('close', resolve))
      await Readable.toWeb(source).cancel('enough')
      await closed
      return source.destroyed
    },
    async () => {
      const failing = new ReadableStream({ start: (c) => c.error(new Error('web')) })
      return consumers.text(Readable.fromWeb(failing as never))
    },
    async () => {
      const cancelled: unknown[] = []
      const source = new ReadableStream({ cancel: (reason) => void cancelled.push(reason) })
      const readable = Readable.fromWeb(source as never)
      readable.on('error', () => {})
      readable.destroy(new Error('mine'))
      await new Promise((resolve) => readable.on('close', resolve))
      return cancelled.map(String)
    },
    async () => {
      const into: unknown[] = []
      const writer = Writable.toWeb(sink(into, { highWaterMark: 1 })).getWriter()
      await writer.write('a')
      await writer.write('b')
      await writer.close()
      return into
    },
    async () => {
      const writer = Writable.toWeb(
        new Writable({ write: (_c, _e, done) => done(new Error('full')) }),
      ).getWriter()
      writer.closed.catch(() => {})
      return writer.write('a').then(() => writer.close())
    },
    async () => {
      const into: unknown[] = []
      const target = new WritableStream({ write: (chunk) => void into.push(chunk) })
      await promises.pipeline(Readable.from(['a', 'é']), Writable.fromWeb(target as never))
      return into
    },
    async () => {
      const upperWeb = new TransformStream({
        transform: (chunk, c) => c.enqueue(new TextDecoder().decode(chunk).toUpperCase()),
      })
      const duplex = Duplex.fromWeb(upperWeb as never, { encoding: 'utf8' })
      duplex.end('abc')
      return consumers.text(duplex)
    },
    async () => {
      const { readable, writable } = Duplex.toWeb(upper())
      const writer = writable.getWriter()
      void writer.write('abc')
      void writer.close()
      const { value } = await readable.getReader().read()
      return new TextDecoder().decode(value)
    },
    () => Readable.fromWeb(5 as never),
    () => Readable.toWeb(5 as never),
  ])
