// biome-ignore-all lint/suspicious/noExplicitAny: wrong arguments are what is tried
import buffer, { Buffer, isAscii, isUtf8, SlowBuffer, transcode } from 'node:buffer'
import { outcomes } from './outcomes.js'

const any = (value: unknown) => value as never
const TEXTS = [
  '',
  'abc',
  'hé€𝄞',
  '\ud800x',
  'ÿ\0\x7f',
  'aGk=',
  'aGk',
  'a-_b',
  '6869zz',
  '0',
  'YWJj ZGVm\n',
  '====',
  'ab=cd',
]
const ENCODINGS = [
  'utf8',
  'UTF-8' as BufferEncoding,
  'ucs2',
  'utf16le',
  'latin1',
  'binary',
  'ascii',
  'base64',
  'base64url',
  'hex',
] as BufferEncoding[]
const BYTES = [
  [],
  [0x68, 0x69],
  [0xff, 0xfe, 0x41],
  [0xe2, 0x82],
  [0xc3, 0xa9, 0xf0, 0x9d, 0x84, 0x9e],
  [0, 1, 2, 3, 4, 5, 6],
]
const NUMBERS = [
  0,
  1,
  -1,
  127,
  128,
  255,
  256,
  32767,
  65535,
  65536,
  2 ** 31 - 1,
  2 ** 32,
  -129,
  1.5,
  Number.NaN,
  1e300,
]

export default () =>
  outcomes([
    ...ENCODINGS.flatMap((encoding) => TEXTS.map((text) => () => Buffer.from(text, encoding))),
    ...ENCODINGS.flatMap((encoding) =>
      BYTES.map((bytes) => () => Buffer.from(bytes).toString(encoding)),
    ),
    ...ENCODINGS.flatMap((encoding) =>
      TEXTS.map((text) => () => Buffer.byteLength(text, encoding)),
    ),
    ...ENCODINGS.flatMap((encoding) =>
      TEXTS.map((text) => () => {
        const target = Buffer.alloc(5)
        return [target.write(text, 1, encoding), target]
      }),
    ),
    ...[
      'Int8',
      'UInt8',
      'Int16LE',
      'UInt16BE',
      'Int32BE',
      'UInt32LE',
      'FloatLE',
      'DoubleBE',
    ].flatMap((type) =>
      NUMBERS.map((number) => () => {
        const target = Buffer.alloc(9)
        const end = (target as any)[`write${type}`](number, 1)
        return [end, target, (target as any)[`read${type}`](1)]
      }),
    ),
    ...[1, 3, 6, 7, 0, undefined].flatMap((size) =>
      ['IntLE', 'UIntBE', 'UintLE', 'IntBE'].map((type) => () => {
        const target = Buffer.alloc(8)
        const end = (target as any)[`write${type}`](100, 1, size)
        return [end, target, (target as any)[`read${type}`](1, size)]
      }),
    ),
    ...[-1, 8, 1.5, '0', Number.NaN, undefined, null].map(
      (offset) => () => Buffer.alloc(8).readInt16LE(any(offset)),
    ),
    () => Buffer.alloc(8).writeBigInt64LE(-5n),
    () => Buffer.from([1, 2, 3, 4, 5, 6, 7, 255]).readBigInt64BE(),
    () => Buffer.from([1, 2, 3, 4, 5, 6, 7, 255]).readBigUInt64LE(),
    () => Buffer.alloc(8).writeBigUInt64LE(-1n),
    () => Buffer.alloc(8).writeBigInt64LE(any(1)),
    () => Buffer.alloc(3, 'ab'),
    () => Buffer.alloc(3, 'YQ==', 'base64'),
    () => Buffer.alloc(4, 257),
    () => Buffer.alloc(4, Buffer.from('xy')),
    () => Buffer.alloc(any('5')),
    () => Buffer.alloc(-1),
    () => Buffer.allocUnsafe(4).length,
    () => Buffer.allocUnsafeSlow(4).length,
    () => (Buffer as unknown as (size: number) => unknown)(3),
    () => new Buffer(any('ab')),
    () => Buffer.from(any(5)),
    () => Buffer.from(any(null)),
    () => Buffer.from(any(undefined)),
    () => Buffer.from(any({})),
    () => Buffer.from(any({ length: 2, 0: 1, 1: 300 })),
    () => Buffer.from(any({ type: 'Buffer', data: [1, 2] })),
    () => Buffer.from(new String('boxed')),
    () => Buffer.from(any({ [Symbol.toPrimitive]: () => 'primitive' })),
    () => Buffer.from(any({ valueOf: () => 'value' })),
    () => Buffer.from(new Uint16Array([1, 256])),
    () => Buffer.from(new Uint8Array([1, 2, 3]).buffer, 1),
    () => Buffer.from(new Uint8Array([1, 2, 3]).buffer, 1, 1),
    () => Buffer.from(new Uint8Array([1, 2, 3]).buffer, 4),
    () => Buffer.from(new Uint8Array([1, 2, 3]).buffer, 1, 5),
    () => Buffer.from('a', any('nope')),
    () => Buffer.from([1, 2]).toString(any('nope')),
    () => Buffer.concat([Buffer.from('ab'), new Uint8Array([99])]),
    () => Buffer.concat([Buffer.from('ab'), Buffer.from('cd')], 3),
    () => Buffer.concat([Buffer.from('ab')], 4),
    () => Buffer.concat(any('x')),
    () => Buffer.concat(any([1])),
    () => Buffer.compare(Buffer.from('a'), Buffer.from('b')),
    () => Buffer.compare(any('a'), Buffer.from('b')),
    () => Buffer.from('abcdef').compare(Buffer.from('cde'), 0, 3, 2, 5),
    () => Buffer.from('abc').compare(Buffer.from('abc'), 9),
    () => Buffer.from('abc').equals(Buffer.from('abc')),
    () => Buffer.from('abc').equals(any('abc')),
    () => Buffer.isBuffer(Buffer.from('')),
    () => Buffer.isBuffer(new Uint8Array(1)),
    () =>
      ['utf8', 'UTF8', 'x', 5, undefined, '', 'hex', 'constructor'].map((name) =>
        Buffer.isEncoding(any(name)),
      ),
    ...['cd', 'x', '', Buffer.from('cd'), 99, 'é', -1, 2, undefined, {}].flatMap((needle) => [
      () => Buffer.from('abcdcd').indexOf(any(needle)),
      () => Buffer.from('abcdcd').lastIndexOf(any(needle)),
      () => Buffer.from('abcdcd').includes(any(needle), 3),
      () => Buffer.from('abcdcd').indexOf(any(needle), -2),
      () => Buffer.from('abcdcd').lastIndexOf(any(needle), 3),
    ]),
    () => Buffer.from('a\0b\0', 'latin1').indexOf('b', 0, 'utf16le'),
    () => Buffer.from('abcdef').slice(-3, -1),
    () => Buffer.from('abcdef').subarray(2).constructor.name,
    () => Buffer.from('abcdef').map((byte) => byte + 1),
    () =>
      Buffer.from('abcdef')
        .filter((byte) => byte > 98)
        .toString(),
    () => [...Buffer.from('ab').entries()],
    () => Buffer.from('abcd').swap16(),
    () => Buffer.from('abcdefgh').swap64(),
    () => Buffer.from('abc').swap32(),
    () => Buffer.from('abcdef').fill('xy', 1, 4),
    () => Buffer.from('abcdef').fill(''),
    () => Buffer.from('abcdef').fill('zz', 'hex'),
    () => Buffer.from('abcdef').fill('x', 4, 9),
    () => Buffer.from('abcdef').fill(0x141),
    () => Buffer.from('abcdef').fill('x', -1),
    () => {
      const target = Buffer.alloc(4)
      return [Buffer.from('abcdef').copy(target, 1, 2, 9), target]
    },
    () => Buffer.from('abc').copy(Buffer.alloc(2), -1),
    () => Buffer.from('abc').copy(Buffer.alloc(2), 0, 5),
    () => Buffer.from('abc').copy(any('x')),
    () => JSON.stringify({ a: Buffer.from('hi') }),
    () => `${Buffer.from('hi')}`,
    () => Buffer.from('abcdef').toString('utf8', 1, 3),
    () => Buffer.from('abcdef').toString('utf8', -1, 99),
    () => Buffer.from('abcdef').toString(undefined, any('2')),
    () => Buffer.alloc(5).write('abc', 9),
    () => Buffer.alloc(5).write('abc', 1, 9),
    () => Buffer.alloc(5).write(any(5)),
    () => Buffer.alloc(2).write('€'),
    () => Buffer.of(1, 2, 300),
    () => Buffer.copyBytesFrom(new Uint16Array([1, 2, 3]), 1, 1),
    () => Buffer.poolSize,
    () => Buffer.name,
    () => Object.keys(Buffer).sort(),
    () => Object.keys(Buffer.prototype).sort(),
    () => [
      new (Buffer as any).allocUnsafeSlow(3).length,
      new (Buffer as any).from('ab').toString(),
    ],
    () => [new (Buffer as any).alloc(2), new (Buffer as any).concat([])],
    () => Object.prototype.toString.call(Buffer.alloc(0)),
    () => Buffer.alloc(0) instanceof Uint8Array,
    () => (SlowBuffer as unknown as (size: number) => Buffer)(2).length,
    () => isUtf8(Buffer.from([0xc3, 0x28])),
    () => isUtf8(Buffer.from('é')),
    () => isAscii(Buffer.from('é')),
    () => isAscii(any('x')),
    () => transcode(Buffer.from('€é'), 'utf8', 'latin1'),
    () => transcode(Buffer.from('é'), 'utf8', 'utf16le'),
    () => transcode(Buffer.from('é'), any('x'), 'utf16le'),
    () => buffer.constants.MAX_STRING_LENGTH > 2 ** 28,
    () => Buffer.from('ab').readUint8(1),
    () => Buffer.from('ab').at(-1),
    () => Buffer.from('abc').toLocaleString(),
    () => Buffer.from('test').buffer instanceof ArrayBuffer,
    () => (Buffer.from('héllo') as any).latin1Slice(0, 3),
    () => (Buffer.from('héllo') as any).utf8Slice(0, 3),
  ])
