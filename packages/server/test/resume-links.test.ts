import { randomBytes } from 'node:crypto'
import { memoryStore } from '@nexus/event-bus'
import { WasmRuntime } from '@nexus/executor'
import { type FunctionAttempt, FunctionHost, type FunctionSuspensions } from '@nexus/functions'
import { launchChromium, testInChromium } from '@nexus/test-kit/chromium'
import { expect, it, onTestFinished } from 'vitest'
import { serve } from './serve.js'

const [first, second] = [randomBytes(32), randomBytes(32)]

/** Two answers by mail, and a reminder that is asked for under the same name. */
const source = `export default async (event, ctx) => {
  const data = { order: '<script>alert(1)</script>' }
  try {
    const yes = await ctx.resumeUrl('approval', { approved: true, by: '"><b>' })
    const no = await ctx.resumeUrl('approval', { approved: false })
    ctx.log.info('mail', { yes, no })
    const first = await ctx.suspend('approval', data, { timeoutMs: event.data.timeoutMs })
    ctx.log.info('mail', { again: await ctx.resumeUrl('approval') })
    return [first, (await ctx.suspend('approval', data)) ?? 'nothing']
  } catch (error) {
    return error.code ?? error.message
  }
}`

async function open(more: { token?: string; keys?: object; data?: object } = {}) {
  const runtime = new WasmRuntime({ threads: 0, cacheDir: false })
  const store = memoryStore()
  let host: FunctionHost | undefined
  onTestFinished(async () => {
    await host?.close({ drainTimeoutMs: 0 })
    await runtime.shutdown({ drainTimeoutMs: 0 })
  })
  const late = {
    get suspensions(): FunctionSuspensions {
      return host!.suspensions
    },
    names: [],
  }
  // The routes read it when they are made: it is there by the first request.
  const suspensions = new Proxy({} as FunctionSuspensions, {
    get:
      (_, key) =>
      (...args: unknown[]) =>
        Reflect.apply(Reflect.get(late.suspensions, key) as () => unknown, late.suspensions, args),
  })
  const functions = { suspensions, names: [] } as unknown as FunctionHost
  const served = await serve({ functions, token: more.token, httpFunctions: false }, { store })
  const mails: Record<string, string>[] = []
  const onAttempt = ({ logs }: FunctionAttempt) => {
    for (const { fields } of logs) mails.push(fields as Record<string, string>)
  }
  const bind = async (keys: object) => {
    await host?.close()
    const links = { baseUrl: `${served.url}/`, keys: keys as never }
    host = new FunctionHost({ bus: served.bus, runtime, links, onAttempt })
    await host.bind([{ name: 'ask', source, events: 'order' }])
  }
  await bind(more.keys ?? { current: first })
  await host!.publish({ type: 'order', id: 'o1', data: more.data ?? {} }, { wait: true })
  const runOf = async () => (await host!.runs({ id: 'o1' }))![0]!
  const [{ yes = '', no = '' } = {}] = mails
  return { ...served, bind, runOf, mails, yes, no }
}

it('asks when a link is opened, however often and by whatever, and resumes when its button is pressed', async () => {
  const { yes, no, url, server, runOf } = await open({ token: 'a-token-of-some-length' })
  expect(yes.startsWith(`${url}/resume/`)).toBe(true)
  const scanner = { 'user-agent': 'MailScanner', 'sec-fetch-site': 'cross-site' }
  for (const method of ['GET', 'HEAD', 'GET']) {
    const opened = await fetch(yes, { method })
    expect(opened.status).toBe(200)
    expect(opened.headers.get('content-type')).toBe('text/html; charset=utf-8')
  }
  for (const method of ['OPTIONS', 'PUT', 'DELETE']) {
    expect((await fetch(yes, { method, headers: scanner })).ok).toBe(false)
  }
  const navigation = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
  // `fetch` writes such headers itself.
  const headers = { host: new URL(url).host, ...scanner, ...navigation }
  const opened = await server.inject({ url: new URL(yes).pathname, headers })
  expect(opened.statusCode).toBe(200)
  const page = opened.body
  expect(page).toContain('<form method="post"><button>Confirm</button></form>')
  expect(page).toContain('ask waits for approval.')
  expect(page).toContain('&#60;script&#62;')
  expect(page).not.toMatch(/<script|<b>|javascript:|<link|<img/)
  const policy = String(opened.headers['content-security-policy'])
  expect(policy).toContain("default-src 'none'")
  expect(policy).toContain("form-action 'self'")
  expect(policy).not.toContain('unsafe')
  expect(policy).not.toContain('script-src')
  expect(opened.headers['referrer-policy']).toBe('same-origin')
  expect(opened.headers['cache-control']).toBe('no-store')
  expect(await runOf()).toMatchObject({ status: 'suspended' })

  const pressed = await fetch(yes, {
    method: 'POST',
    headers: { origin: url, 'content-type': 'application/x-www-form-urlencoded' },
    body: '',
  })
  expect([pressed.status, await pressed.text()]).toEqual([
    200,
    expect.stringContaining('Confirmed'),
  ])
  for (const [link, method] of [
    [yes, 'POST'],
    [no, 'POST'],
    [yes, 'GET'],
  ] as const) {
    const used = await fetch(link, { method })
    expect([used.status, await used.text()]).toEqual([
      410,
      expect.stringContaining('There is nothing to confirm'),
    ])
  }
})

it('makes each link for one suspension: the next of the same name has its own', async () => {
  const { no, runOf, mails } = await open()
  expect((await fetch(no, { method: 'POST' })).status).toBe(200)
  await expect.poll(() => mails.length).toBe(2)
  expect((await fetch(no, { method: 'POST' })).status).toBe(410)
  const { again } = mails[1]!
  await expect.poll(async () => (await fetch(again!)).status).toBe(200)
  expect(await (await fetch(again!)).text()).not.toContain('The answer')
  expect((await fetch(again!, { method: 'POST' })).status).toBe(200)
  await expect.poll(runOf).toMatchObject({ value: [{ approved: false }, 'nothing'] })
})

it('answers plainly when the time of the suspension is over', async () => {
  const { yes, runOf } = await open({ data: { timeoutMs: 1 } })
  await expect.poll(runOf).toMatchObject({ value: 'TIMEOUT' })
  for (const method of ['GET', 'POST']) expect((await fetch(yes, { method })).status).toBe(410)
})

it('takes links that older keys signed, and no others', async () => {
  const { yes, bind, url, runOf } = await open()
  const [address, token] = [`${url}/resume/`, yes.slice(`${url}/resume/`.length)]
  const [content = '', signature = ''] = token.split('.')
  const payload = JSON.parse(Buffer.from(content, 'base64url').toString()) as unknown[]
  const other = Buffer.from(JSON.stringify([...payload.slice(0, 3), '7'])).toString('base64url')
  const flipped = (signature.startsWith('A') ? 'B' : 'A') + signature.slice(1)
  const forged = [
    ...['', 'x', content, `${content}.`, `.${signature}`, `${token}.x`],
    ...[`${other}.${signature}`, `${content}.${flipped}`, `${content}.${signature.slice(0, -2)}`],
  ].filter((text) => text !== '')
  for (const text of forged) {
    for (const method of ['GET', 'POST']) {
      const answer = await fetch(address + text, { method })
      expect([answer.status, await answer.text()]).toEqual([
        404,
        expect.stringContaining('This link is not valid'),
      ])
    }
  }
  await bind({ current: second })
  expect((await fetch(yes, { method: 'POST' })).status).toBe(404)
  await bind({ current: second, previous: [first] })
  expect(await runOf()).toMatchObject({ status: 'suspended' })
  expect((await fetch(yes, { method: 'POST' })).status).toBe(200)
})

testInChromium(
  'is opened in a browser, from a page of another site, and its button resumes',
  async () => {
    const { yes, url, runOf } = await open({ token: 'a-token-of-some-length' })
    const browser = await launchChromium()
    onTestFinished(() => browser.close())
    const tab = await browser.newPage()
    const refused: string[] = []
    tab.on('console', (message) => refused.push(message.text()))
    await tab.goto(`data:text/html,<a href="${yes}">confirm</a>`)
    await tab.click('a')
    await tab.waitForURL(`${url}/resume/**`)
    expect(await tab.textContent('h1')).toBe('Confirm: approval')
    expect(await runOf()).toMatchObject({ status: 'suspended' })
    await tab.click('button')
    await tab.waitForFunction(
      () => document.querySelector('h1')?.textContent !== 'Confirm: approval',
    )
    expect(await tab.textContent('body')).toContain('Confirmed')
    // Its style is allowed by its policy, and it has nothing else.
    expect(refused).toEqual([])
  },
)
