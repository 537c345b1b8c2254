import { createSign, generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { openRuntime } from '../runtimes.js'

const runtime = openRuntime({ threads: 0, timeoutMs: 60_000 })
// date-fns formats in the zone of the process; a sandbox is always in UTC.
process.env.TZ = 'UTC'

// As text: Node 20 may stop for ever when it writes a key that it has just generated.
const { privateKey: pkcs8, publicKey: spki } = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})

/** A token that Node signed, for the sandbox to verify. */
function tokenOfNode(): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const head = `${part({ alg: 'ES256' })}.${part({ by: 'node' })}`
  const signature = createSign('sha256')
    .update(head)
    .sign({ key: pkcs8, dsaEncoding: 'ieee-p1363' })
  return `${head}.${signature.toString('base64url')}`
}

describe('a handler made of', () => {
  it.each([
    [
      'zod',
      {
        good: {
          id: '0b5dbdd5-8a3c-4b5e-9c52-6a9ad3ee3d16',
          email: 'a@b.example',
          tags: ['ab'],
          at: '2024-02-29T00:00:00Z',
          kind: { type: 'b', s: '' },
        },
        bad: { id: 'x', email: 'y', tags: ['a', 1], at: 'never', kind: { type: 'c' } },
      },
    ],
    ['lodash', { rows: ['b', 'a', 'b'].map((name, n) => ({ name, n })) }],
    ['date-fns', { from: '2024-02-29T13:05:00Z', to: '2024-05-01T00:00:00Z' }],
    [
      'marked',
      '# Title\n\n*a* **b** `c` [d](http://e.example "f")\n\n- 1\n- 2\n\n| a | b |\n|---|--:|\n| 1 | ü |\n\n```js\nx < 1\n```\n',
    ],
    [
      'handlebars',
      {
        items: [
          { name: 'a', paid: true, html: '<b>' },
          { name: 'b', html: '&' },
        ],
      },
    ],
    ['ajv', [{ n: 1 }, { n: 0, list: ['a', 'a', 'A'], x: 1 }, 5]],
    ['uuid', 'nexus.example'],
    ['nodemailer', null],
    [
      'xlsx',
      [
        { name: 'ä', count: 1, when: '2024-02-29' },
        { name: '<b>', count: 2.5, when: true },
      ],
    ],
    [
      'jose',
      {
        secret: 'a secret of at least thirty-two bytes!',
        pkcs8,
        spki,
        token: tokenOfNode(),
      },
    ],
  ])('%s gives in the sandbox what it gives in Node', async (name, event) => {
    const file = fileURLToPath(new URL(`${name}.ts`, import.meta.url))
    const compiled = await runtime.precompileFile(file)
    const { value, error } = await runtime.executeCompiledHandler(compiled, { event })
    expect(error).toBeUndefined()
    const inNode = await import(pathToFileURL(file).href)
    const expected: unknown = await inNode.default(JSON.parse(JSON.stringify(event)))
    expect(value).toEqual(JSON.parse(JSON.stringify(expected)))
  })

  it('a part of a package that needs a built-in of Node fails when it is called, and says so', async () => {
    const file = fileURLToPath(new URL('nodemailer-file.ts', import.meta.url))
    const compiled = await runtime.precompileFile(file)
    const { error } = await runtime.executeCompiledHandler(compiled, { event: null })
    expect(error?.message).toContain('createReadStream: nodemailer wants the Node.js built-in')
  })

  it('a package that needs a built-in of Node is refused with the chain of imports', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'nexus-packages-'))
    afterAll(() => rm(folder, { recursive: true, force: true }))
    await writeFile(
      join(folder, 'store.js'),
      `import { readFileSync } from 'node:fs'\nexport const load = readFileSync\n`,
    )
    await writeFile(
      join(folder, 'handler.js'),
      `import { load } from './store.js'\nexport default () => load('x')\n`,
    )
    const refused = await runtime.precompileFile(join(folder, 'handler.js')).catch((error) => error)
    expect(refused).toMatchObject({ code: 'COMPILATION_ERROR' })
    expect(refused.message).toContain('node:fs')
    expect(refused.message).toMatch(/handler\.js[\s\S]*store\.js/)
  })
})
