// A WASI command, cold and warm, against node:wasi and @wasmer/wasi on the same binary; and 100,000 calls, flat.
// node:wasi of Node 20 crashes now and then (in 2 of 12 processes that made 800 calls each): then run it again.
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { WASI as NodeWasi } from 'node:wasi'
import { WasmRuntime } from '@nexus/executor'
import { init, MemFS, WASI as WasmerWasi } from '@wasmer/wasi'
import { printTable, timeCalls, verdict } from './slices.mjs'

process.removeAllListeners('warning')
const CALLS = 100_000
const directory = await mkdtemp(join(tmpdir(), 'nexus-wasi-'))
const functions = new URL('../examples/wasi/functions/', import.meta.url)
const zones = readFileSync(new URL('../examples/wasi/data/zones.csv', import.meta.url))
const capabilities = ['events:emit:>']

const commands = {
  'stdin to stdout (slug.wasm)': {
    url: new URL('slug.wasm', functions),
    event: { data: { title: 'Pristine sandboxes, in microseconds' } },
    files: {},
  },
  'reads a file (delivery-zone.wasm)': {
    url: new URL('delivery-zone.wasm', functions),
    event: { data: { latitude: 52.52, longitude: 13.4 } },
    files: { '/data/zones.csv': zones },
  },
}

/** What an embedder of node:wasi writes: streams are files, and each call gets an instance of its own. */
async function nodeCommand({ event, files }, name) {
  const root = join(directory, name)
  const [stdin, stdout] = [join(root, 'stdin'), join(root, 'stdout')]
  await mkdir(join(root, 'data'), { recursive: true })
  for (const [path, bytes] of Object.entries(files)) writeFileSync(join(root, path), bytes)
  return (module) => {
    writeFileSync(stdin, JSON.stringify(event))
    const fds = [openSync(stdin, 'r'), openSync(stdout, 'w+')]
    const wasi = new NodeWasi({
      version: 'preview1',
      args: ['command'],
      preopens: { '/': root },
      stdin: fds[0],
      stdout: fds[1],
      stderr: fds[1],
      returnOnExit: true,
    })
    wasi.start(new WebAssembly.Instance(module, { ...wasi.getImportObject(), nexus }))
    for (const fd of fds) closeSync(fd)
    return readFileSync(stdout, 'utf8')
  }
}

function wasmerCommand({ event, files }) {
  return (module) => {
    const fs = new MemFS()
    for (const [path, bytes] of Object.entries(files)) {
      fs.createDir('/data')
      const file = fs.open(path, { read: true, write: true, create: true })
      file.write(Uint8Array.from(bytes))
      file.free()
    }
    const wasi = new WasmerWasi({ fs, preopens: { '/': '/' } })
    wasi.setStdinString(JSON.stringify(event))
    wasi.instantiate(module, { nexus })
    wasi.start()
    const text = wasi.getStdoutString()
    wasi.free()
    return text
  }
}

let lastUnseen = 0

/** The same module as a binary that the engine has not compiled before: another custom section at its end. */
function unseen(binary) {
  const name = [...Buffer.from(String(++lastUnseen))]
  return Buffer.concat([binary, Buffer.from([0, name.length + 1, name.length, ...name])])
}

const nexus = { emit: () => 0 }
await init()
const runtime = new WasmRuntime({ threads: 0, cacheDir: false })
const threaded = new WasmRuntime({ threads: 1, cacheDir: false })
const rows = [['p50 µs', 'Nexus inline', 'Nexus on a thread', 'node:wasi', '@wasmer/wasi']]
const ratios = []
for (const [name, command] of Object.entries(commands)) {
  const { url, event, files } = command
  const binary = readFileSync(url)
  const module = await WebAssembly.compile(binary)
  const handler = await runtime.precompileFile(url.pathname, { files })
  const onThread = await threaded.precompileFile(url.pathname, { files })
  const node = await nodeCommand(command, String(rows.length))
  const wasmer = wasmerCommand(command)
  const context = { event, capabilities }
  const warm = await timeCalls(
    {
      nexus: () => runtime.executeCompiledHandler(handler, context),
      threaded: () => threaded.executeCompiledHandler(onThread, context),
      node: () => node(module),
      wasmer: () => wasmer(module),
    },
    { slices: 20, callsPerSlice: 50, warmUp: 300 },
  )
  const cold = await timeCalls(
    {
      nexus: async () => {
        const compiled = await runtime.precompileWasi(unseen(binary), { files })
        return runtime.executeCompiledHandler(compiled, context)
      },
      node: async () => node(await WebAssembly.compile(unseen(binary))),
      wasmer: async () => wasmer(await WebAssembly.compile(unseen(binary))),
    },
    { slices: 10, callsPerSlice: 5, warmUp: 5 },
  )
  const shown = (times, contestant) => times[contestant]?.p50.toFixed(1) ?? '–'
  for (const [kind, times] of Object.entries({ warm, cold })) {
    const cells = ['nexus', 'threaded', 'node', 'wasmer'].map((who) => shown(times, who))
    rows.push([`${kind}: ${name}`, ...cells])
    ratios.push([`${kind} against node:wasi: ${name}`, times.nexus.p50 / times.node.p50])
  }
}
printTable(rows)
console.log()

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc')
const heldMiB = () => {
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return ((heapUsed + external) / 2 ** 20).toFixed(1)
}
console.log(
  `${CALLS.toLocaleString('en')} calls of each, inline; MiB held after a garbage collection:`,
)
for (const [name, { url, event, files }] of Object.entries(commands)) {
  const handler = await runtime.precompileFile(url.pathname, { files })
  const held = []
  for (let i = 0; i <= CALLS; i++) {
    if (i > 0 && i % (CALLS / 5) === 0) held.push(heldMiB())
    await runtime.executeCompiledHandler(handler, { event, capabilities })
  }
  console.log(`  ${name}: ${held.join(', ')}`)
}
console.log()
for (const [what, ratio] of ratios) verdict(what, ratio, '≤1')
await Promise.all([runtime.shutdown(), threaded.shutdown(), rm(directory, { recursive: true })])
