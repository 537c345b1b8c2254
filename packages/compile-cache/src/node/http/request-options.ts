import { Buffer } from '../bytes/buffer-class.js'
import { invalidType, nodeError } from '../node-error.js'
import url from '../text/url.js'
import { type Agent, checkAgent } from './agent.js'
import { notHere } from './not-here.js'
import { type HeaderValue, validateHeaderName } from './outgoing-message.js'

export interface RequestOptions {
  protocol?: string | null
  hostname?: string | null
  host?: string | null
  port?: number | string | null
  defaultPort?: number | string
  path?: string | null
  method?: string
  headers?: Record<string, HeaderValue | undefined> | readonly string[]
  auth?: string | null
  agent?: Agent | false
  _defaultAgent?: Agent
  timeout?: number
  signal?: AbortSignal
  setHost?: boolean
  [name: string]: unknown
}

/** What a request goes to, and what it says. */
export interface Target {
  method: string
  protocol: string
  hostname: string
  port: string
  path: string
  headers: [name: string, value: HeaderValue][]
  agent: Agent | undefined
  timeoutMs: number | undefined
  signal: AbortSignal | undefined
}

type Callback = (response: unknown) => void

/** What `request(url, options, callback)` was given, each of them optional. */
export function readArguments(args: unknown[]): [RequestOptions, Callback | undefined] {
  const [first] = args
  const href = typeof first === 'string' || first instanceof URL ? new URL(first) : undefined
  const rest = href ? args.slice(1) : args
  const options: RequestOptions = {}
  if (href) Object.assign(options, url.urlToHttpOptions(href))
  if (typeof rest[0] === 'function') return [options, rest[0] as Callback]
  return [Object.assign(options, rest[0]), (rest[1] || undefined) as Callback | undefined]
}

/** What stands for connections that the host does not open; ignoring them would do what was not asked for. */
const UNHEARD = ['socketPath', 'createConnection', 'ca', 'cert', 'key', 'pfx']

/** @throws as Node does, and for what fetch cannot do */
export function targetOf(options: RequestOptions, defaultAgent: Agent): Target {
  for (const name of UNHEARD) {
    if (options[name]) throw notHere(`A request with the option ${name}`)
  }
  const base = options._defaultAgent ?? defaultAgent
  const agent = options.agent === false ? undefined : (options.agent ?? base)
  if (agent) checkAgent(agent)
  const expected = agent?.protocol ?? base.protocol
  const protocol = options.protocol || expected
  if (protocol !== expected) {
    const message = `Protocol "${protocol}" not supported. Expected "${expected}"`
    throw nodeError(TypeError, 'ERR_INVALID_PROTOCOL', message)
  }
  const hostname = hostOf(options.hostname, 'hostname') ?? hostOf(options.host, 'host')
  const port = String(options.port || options.defaultPort || agent?.defaultPort || 80)
  const { method = 'GET' } = options
  if (typeof method !== 'string') throw invalidType('options.method', 'of type string', method)
  validateHeaderName(method, 'Method')
  const target: Target = {
    method: method.toUpperCase(),
    protocol,
    hostname: hostname ?? 'localhost',
    port,
    path: pathOf(options.path || '/'),
    headers: [],
    agent,
    timeoutMs: options.timeout,
    signal: options.signal,
  }
  target.headers = headersOf(options, target, String(agent?.defaultPort ?? 80))
  return target
}

function hostOf(host: unknown, name: string): string | undefined {
  if (host === undefined || host === null || host === '') return undefined
  if (typeof host === 'string') return host
  throw invalidType(`options.${name}`, 'of type string or one of undefined or null', host)
}

function pathOf(path: unknown): string {
  const text = String(path)
  if (/[^\u0021-\u00ff]/.test(text)) {
    const message = 'Request path contains unescaped characters'
    throw nodeError(TypeError, 'ERR_UNESCAPED_CHARACTERS', message)
  }
  if (/^[a-z][a-z\d+.-]*:/i.test(text)) throw notHere('A request through a proxy')
  return text.startsWith('/') ? text : `/${text}`
}

function headersOf(
  { headers = {}, auth, setHost = true }: RequestOptions,
  { hostname, port }: Target,
  defaultPort: string,
): [string, HeaderValue][] {
  const all: [string, HeaderValue][] = []
  if (Array.isArray(headers)) {
    const flat = headers.flat() as string[]
    for (let i = 0; i + 1 < flat.length; i += 2) all.push([flat[i]!, flat[i + 1]!])
  } else {
    for (const [name, value] of Object.entries(headers)) all.push([name, value as HeaderValue])
  }
  const has = (name: string) => all.some(([known]) => known.toLowerCase() === name)
  if (setHost && !has('host')) {
    const host = hostname.includes(':') && !hostname.startsWith('[') ? `[${hostname}]` : hostname
    all.push(['Host', port === defaultPort ? host : `${host}:${port}`])
  }
  if (auth && !has('authorization')) {
    const credentials = (Buffer.from as (text: string) => { toString(to: string): string })(auth)
    all.push(['Authorization', `Basic ${credentials.toString('base64')}`])
  }
  return all
}
