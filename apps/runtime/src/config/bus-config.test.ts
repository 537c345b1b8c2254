import { describe, expect, it } from 'vitest'
import { busConfig } from './bus-config.js'
import { parseConfig } from './parse-config.js'

const read = (text: string) => parseConfig(text, `${process.cwd()}/nexus.yaml`).config.bus
const config = (text: string, url?: string) => busConfig(read(text), url)

describe('the bus of a nexus.yaml', () => {
  it('is a name, or an object with settings', () => {
    expect(config('')).toEqual({ backend: 'local', durability: 'disk' })
    expect(config('bus: local')).toEqual({ backend: 'local', durability: 'disk' })
    expect(config('bus: { durability: os }')).toEqual({ backend: 'local', durability: 'os' })
    expect(config('bus: { retention: { maxAgeMs: 5 } }')).toEqual({
      backend: 'local',
      durability: 'disk',
      retention: { maxAgeMs: 5 },
    })
    expect(config('bus: { redis: {}, retention: { maxEvents: 9 } }')).toMatchObject({
      settings: { retention: { maxEvents: 9 } },
    })
    expect(config('bus: memory')).toEqual({ backend: 'memory' })
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
