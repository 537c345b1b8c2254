// A process of its own for the tests: `suspend <handler file>`, `resume <id> <value as JSON>`, `hang <id>`, `list`.
import { FileSuspensionStore, WasmRuntime } from '../../dist/index.js'

const [directory, key, command, ...args] = process.argv.slice(2)
const runtime = new WasmRuntime({
  threads: Number(process.env.THREADS ?? 0),
  cacheDir: false,
  timeoutMs: 20_000,
  suspensions: {
    store: new FileSuspensionStore(directory),
    ...(key && { keys: { current: key } }),
  },
})
const context = {
  secrets: { TOKEN: 'hunter-22-hunter-22' },
  globals: { hang: () => new Promise(() => process.send?.('hanging')) },
}
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`)

if (command === 'suspend') {
  const handler = await runtime.precompileFile(args[0])
  say(await runtime.executeCompiledHandler(handler, { event: { n: 1 }, ...context }))
} else if (command === 'list') {
  say(await runtime.listSuspensions())
} else {
  const outcome = { success: true, value: JSON.parse(args[1] ?? 'null') }
  const timeoutMs = Number(process.env.TIMEOUT_MS ?? 20_000)
  say(
    await runtime
      .resumeHandler(args[0], outcome, context, timeoutMs)
      .catch(({ code, message }) => ({ code, message })),
  )
}
await runtime.shutdown()
