import { describe, expect, it } from 'vitest'
import { parseConfig } from '../config/parse-config.js'
import { backends } from './backends.js'
import { busConfig } from './bus-config.js'

const read = (text: string) => parseConfig(text, `${process.cwd()}/nexus.yaml`).config.bus
const config = (text: string, url?: string) => busConfig(read(text), url)

describe('the bus of a nexus.yaml', () => {
  it('is a name, or an object with settings', () => {
    const local = { backend: 'local', settings: {}, urls: [] }
    expect(config('')).toEqual(local)
    expect(config('bus: local')).toEqual(local)
    expect(config('bus: { local: {} }')).toEqual(local)
    expect(config('bus: { durability: os }')).toEqual({ ...local, durability: 'os' })
    const retention = { maxAgeMs: 5 }
    expect(config('bus: { retention: { maxAgeMs: 5 } }')).toEqual({ ...local, retention })
    expect(config('bus: { redis: {}, retention: { maxAgeMs: 5 } }')).toMatchObject({
      backend: 'redis',
      retention,
    })
    expect(config('bus: memory')).toEqual({ backend: 'memory', settings: {}, urls: [] })
    expect(config('bus: { memory: {}, retention: { maxAgeMs: 5 } }')).toMatchObject({
      backend: 'memory',
      retention,
    })
    expect(config('bus: nats')).toMatchObject({ urls: ['nats://127.0.0.1:4222'], settings: {} })
    expect(config('bus: { nats: { url: "nats://a:1, nats://u:p@b:2", replicas: 3 } }')).toEqual({
      backend: 'nats',
      urls: ['nats://a:1', 'nats://u:p@b:2'],
      address: 'a:1, b:2',
      settings: { replicas: 3 },
    })
    expect(config('bus: { redis: { url: "rediss://:pw@c:3/1", prefix: shop } }')).toEqual({
      backend: 'redis',
      urls: ['rediss://:pw@c:3/1'],
      address: 'c:3',
      settings: { prefix: 'shop' },
    })
  })

  it.each(backends)('may be $name, as a name and with settings of its own', ({ name, server }) => {
    const address = server && { address: new URL(server.defaultUrl).host }
    for (const text of [`bus: ${name}`, `bus: { ${name}: {} }`]) {
      expect(config(text)).toMatchObject({ backend: name, settings: {}, ...address })
    }
    expect(() => read(`bus: { ${name}: { unknwon: 1 } }`)).toThrow(/unknown key "unknwon"/)
    for (const protocol of server?.protocols ?? []) {
      expect(config('', `${protocol}//h:9`)).toMatchObject({ backend: name, address: 'h:9' })
    }
  })

  it('is overridden by NEXUS_BUS_URL, whose scheme chooses where the file does not', () => {
    const url = 'redis://d:4'
    expect(config('', url)).toMatchObject({ backend: 'redis', address: 'd:4' })
    expect(config('bus: memory', 'tls://d:4')).toMatchObject({ backend: 'nats', address: 'd:4' })
    const prefixed = 'bus: { redis: { url: redis://c:3, prefix: shop } }'
    expect(config(prefixed, url)).toMatchObject({ address: 'd:4', settings: { prefix: 'shop' } })
    expect(() => config('bus: nats', url)).toThrow('NEXUS_BUS_URL is for redis, bus is nats')
  })

  it('is refused with the place of the mistake', () => {
    expect(() => read('bus: kafka')).toThrow(
      'nexus.yaml:1:6: bus: Invalid option: expected one of "local"|"memory"|"nats"|"redis"',
    )
    expect(() => read('bus: { natz: {} }')).toThrow(
      'nexus.yaml:1:8: unknown key "natz" in bus; did you mean "nats"?',
    )
    expect(() => read('bus: { nats: { prefx: a } }')).toThrow(
      'unknown key "prefx" in bus.nats; did you mean "prefix"?',
    )
    expect(() => read('bus: { nats: { replicas: 9 } }')).toThrow('1:26: bus.nats.replicas: Too big')
    expect(() => read('bus: { nats: {}, redis: {} }')).toThrow('expected nats or redis, not both')
    expect(() => read('bus: { nats: {}, durability: disk }')).toThrow('only with the local bus')
    expect(() => read('bus: { memory: {}, durability: os }')).toThrow('only with the local bus')
  })

  it('never repeats what may be a password', () => {
    const secret = 'hunter2'
    const wrong = [`http://u:${secret}@h`, `${secret}`, `redis://u:${secret}%zz@h`, 'redis://']
    for (const url of wrong) {
      for (const attempt of [
        () => config('', url),
        () => config(`bus: { redis: { url: "${url}" } }`),
      ]) {
        expect(attempt).toThrow(/expected .*redis:\/\//)
        expect(attempt).not.toThrow(secret)
      }
    }
    const inFile = `bus: { redis: { url: "redis://u:${secret}@h", prefx: a } }`
    expect(() => read(inFile)).toThrow('redis://*********@h')
    expect(() => read(inFile)).not.toThrow(secret)
  })
})
