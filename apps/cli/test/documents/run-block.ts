import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { format } from 'node:util'
import { startNats, startRedis, untilTestEnds } from '@nexus/test-kit'
import { onTestFinished, vi } from 'vitest'
import { nexusServer } from '../nexus.js'
import { type Block, repository } from './blocks.js'

/** Runs a block as a module of its package, in a directory of its own; answers what it printed. */
export async function runBlock(block: Block): Promise<string> {
  const files = join(repository, block.directory, '.nexus/documents')
  const name = block.place.replace(/\W+/g, '-')
  const path = join(files, `${name}.${block.language === 'js' ? 'mjs' : 'ts'}`)
  await mkdir(files, { recursive: true })
  await writeFile(path, block.setup + (await withServers(block.text)))
  onTestFinished(() => rm(path, { force: true }))
  await enterDirectory()

  let printed = ''
  const print = (text: unknown) => {
    printed += text
    return true
  }
  const spies = [
    vi.spyOn(console, 'log').mockImplementation((...args) => void print(`${format(...args)}\n`)),
    vi.spyOn(process.stdout, 'write').mockImplementation(print),
  ]
  try {
    await import(/* @vite-ignore */ path)
  } finally {
    for (const spy of spies) spy.mockRestore()
  }
  return printed
}

/** The text with the addresses of servers that run for this test in place of those that it names. */
async function withServers(text: string): Promise<string> {
  let own = text.replace(/\bport: 3000\b/, 'port: 0')
  if (own.includes('nats://127.0.0.1:4222')) {
    const { port } = await untilTestEnds(startNats())
    own = own.replace('127.0.0.1:4222', `127.0.0.1:${port}`)
  }
  if (own.includes('redis://127.0.0.1:6379')) {
    const { port } = await untilTestEnds(startRedis())
    own = own.replace('127.0.0.1:6379', `127.0.0.1:${port}`)
  }
  if (own.includes('http://localhost:8080')) {
    const { url } = await exampleServer('orders')
    own = own.replace('http://localhost:8080', url)
  }
  return own
}

/** `nexus start` of an example, with data of its own. */
export async function exampleServer(name: string) {
  const directory = await temporaryDirectory()
  const config = join(repository, 'examples', name, 'nexus.yaml')
  const env = { NEXUS_DATA_DIR: join(directory, 'data'), CACHE_DIR: join(directory, 'cache') }
  const server = await nexusServer(['start', '--config', config], { env })
  onTestFinished(() => void server.stop('SIGKILL'))
  return server
}

/** Makes a directory the current one that has the files which documents name without showing them. */
async function enterDirectory(): Promise<void> {
  const before = process.cwd()
  const directory = await temporaryDirectory()
  await writeFile(join(directory, 'nexus.yaml'), 'functions: []\n')
  const wasm = 'delivery-zone.wasm'
  await cp(join(repository, 'examples/wasi/functions', wasm), join(directory, wasm))
  process.chdir(directory)
  onTestFinished(() => process.chdir(before))
}

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'nexus-documents-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }))
  return directory
}
