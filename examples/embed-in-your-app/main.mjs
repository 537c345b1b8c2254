import { WasmRuntime } from '@nexus/executor'

const stock = new Map([['tea', 3]])
const runtime = new WasmRuntime({ timeoutMs: 1000, memoryLimitBytes: 8 * 1024 * 1024 })
runtime.extend('stock', { left: (sku) => stock.get(sku) ?? 0 })

/** Code that a customer wrote, and that you have never seen. */
async function runScript(code, event) {
  const result = await runtime.executeHandler(code, { event, capabilities: ['ext:stock'] })
  return result.status === 'success'
    ? result.value
    : `${result.error.code}: ${result.error.message}`
}

const polite = `export default async (event, ctx) => {
  const left = await ctx.call('stock', 'left', event.sku)
  return left >= event.quantity ? 'in stock' : 'only ' + left + ' left'
}`
console.log(await runScript(polite, { sku: 'tea', quantity: 5 }))
console.log(await runScript('export default () => { for (;;) {} }', null))
console.log(
  await runScript(
    'export default () => { const all = []; for (;;) all.push("x".repeat(1e6)) }',
    null,
  ),
)
console.log(await runScript('export default () => process.env', null))
await runtime.shutdown()
