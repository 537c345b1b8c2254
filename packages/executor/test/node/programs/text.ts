// biome-ignore-all lint/suspicious/noExplicitAny: wrong arguments are what is tried
import path from 'node:path'
import posix from 'node:path/posix'
import punycode from 'node:punycode'
import querystring from 'node:querystring'
import { StringDecoder } from 'node:string_decoder'
import url from 'node:url'
import { outcomes } from './outcomes.js'

const any = (value: unknown) => value as never
const PATHS = [
  '',
  '.',
  '..',
  '/',
  '//',
  '/a/b/../c.txt',
  'a//b/./c',
  'C:\\a\\..\\b',
  'c:x',
  '\\\\server\\share\\f',
  './.bashrc',
  'a.b.c',
  '/a/',
  'x.',
  'é/ü',
]
const URLS = [
  'http://user:pass@host.com:8080/p/a/t/h?query=string&a=1#hash',
  '/a?b=c',
  'mailto:a@b.c',
  '//host/path',
  'javascript:alert(1)',
  'HTTP://EXAMPLE.com',
  'http://x.com/a b',
  'x:y',
  'http://[::1]:80/',
  'http://a.com?x#y?z',
  'file:///etc/passwd',
  'http://münchen.de/ä',
  '',
  'a\\b',
  'http://a b/',
]
const QUERIES = [
  'a=1&b=2&a=3',
  'a',
  '=1',
  'a=%C3%A9+x',
  'a=%',
  '&&',
  'a=b=c',
  'é=ü',
  'a=%zz',
  'x[]=1&x[]=2',
]
const parts =
  (encoding: string, ...chunks: number[][]) =>
  () => {
    const decoder = new StringDecoder(any(encoding))
    const texts = chunks.map((chunk) => decoder.write(Buffer.from(chunk)))
    return [...texts, decoder.end()]
  }

export default () =>
  outcomes([
    ...[path, path.win32, posix].flatMap((p) => [
      ...PATHS.flatMap((a) => [
        () => p.normalize(a),
        () => p.dirname(a),
        () => p.basename(a),
        () => p.extname(a),
        () => p.isAbsolute(a),
        () => p.parse(a),
        () => p.format(p.parse(a)),
        () => p.basename(a, '.txt'),
        () => p.toNamespacedPath(p.isAbsolute(a) ? a : `/${a}`),
      ]),
      ...PATHS.flatMap((a) => PATHS.map((b) => () => p.join(a, b))),
      () => p.resolve('/a', 'b', '../c'),
      () => p.resolve('/a', '/b', '.'),
      () => p.relative('/a/b/c', '/a/d'),
      () => p.relative('/a', '/a'),
      () => [p.sep, p.delimiter],
      () => p.join(any(5)),
      () => p.basename(any(null)),
      () => p.format(any('x')),
      () => p.format({ dir: 'd', name: 'n', ext: '.e' }),
    ]),
    () => path.win32.resolve('D:\\a', 'C:\\b', 'D:c'),
    () => path.win32.relative('C:\\a\\b', 'C:\\a\\c'),
    () => path.posix === path,
    ...URLS.flatMap((text) => [
      () => ({ ...url.parse(text) }),
      () => ({ ...url.parse(text, true).query }),
      () => url.format(url.parse(text)),
      () => url.resolve('http://h.com/a/b?c', text),
      () => url.resolve(text, '../x'),
      () =>
        URL.canParse(text)
          ? url.format(new URL(text), { fragment: false, search: false, auth: false })
          : 'no URL',
    ]),
    () => url.parse(any(5)),
    () => url.format(any({ protocol: 'http', host: 'x.y', pathname: 'p', query: { a: [1, 2] } })),
    () => url.format({ hostname: '::1', port: 5, search: 'q' }),
    () => url.fileURLToPath('file:///a/b%20c'),
    () => url.fileURLToPath(new URL('file:///a')),
    ...['http://a', 'file://host/a', 'file:///a%2Fb'].map((text) => () => {
      try {
        return url.fileURLToPath(text)
      } catch (error) {
        return [(error as Error).name, (error as { code?: string }).code]
      }
    }),
    () => url.pathToFileURL('/a b/#?%\\c\n').href,
    () => url.domainToASCII('español.com'),
    () => url.domainToUnicode('xn--espaol-zwa.com'),
    () => url.domainToASCII('xn--iñvalid.com'),
    () => ({ ...url.urlToHttpOptions(new URL('https://a:b@x.y:81/p?q#h')) }),
    ...QUERIES.flatMap((text) => [
      () => ({ ...querystring.parse(text) }),
      () => querystring.unescape(text),
      () => querystring.escape(text),
    ]),
    () =>
      querystring.stringify({
        a: 'é x',
        b: [1, 'y'],
        c: true,
        d: null,
        e: undefined,
        f: Number.NaN,
        g: 10n,
      }),
    () => querystring.stringify({ a: 'b' }, ';', ':'),
    () => ({ ...querystring.parse('a:1;b:2', ';', ':', { maxKeys: 1 }) }),
    () => querystring.stringify(any('x')),
    () => querystring.escape('\ud800'),
    () => querystring.parse === querystring.decode,
    () => punycode.toASCII('mañana.com'),
    () => punycode.toUnicode('xn--maana-pta.com'),
    () => punycode.encode('ü'),
    () => punycode.decode('tda'),
    () => punycode.ucs2.decode('𝄞a'),
    () => punycode.decode('ü!'),
    parts('utf8', [0xe2], [0x82, 0xac], [0xf0, 0x9d]),
    parts('utf8', [0xe2, 0x28, 0xa1], [0xff], [0xc3]),
    parts('utf8', [0xf0, 0x9d, 0x84, 0x9e, 0xc3], [0xa9]),
    parts('utf8', [0xed, 0xa0], [0x80]),
    parts('utf8', [0xe0], [0x80, 0x80]),
    parts('utf8', [0xf4, 0x90]),
    parts('utf8', []),
    parts('utf16le', [0x41], [0, 0x34, 0xd8], [0x1e, 0xdd]),
    parts('utf16le', [0x41, 0, 0x42]),
    parts('base64', [1], [2, 3, 4], [5]),
    parts('base64url', [251, 255], [1]),
    parts('hex', [1, 2], [3]),
    parts('latin1', [233], [1]),
    parts('ascii', [200]),
    () => new StringDecoder(any('x')),
    () => (new StringDecoder('utf16le') as unknown as { encoding: string }).encoding,
    () => new StringDecoder().write(any(5)),
    () => new StringDecoder().write(any('text')),
  ])
