import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Contestants take turns in short slices, so that a noisy minute hits all of them; medians are compared. */
export async function interleave(contestants, { rounds = 5, sliceMs = 1000 } = {}) {
  const rates = new Map(contestants.map(({ name }) => [name, []]))
  for (let round = 0; round <= rounds; round++) {
    for (const { name, slice } of contestants) {
      const started = performance.now()
      const done = await slice(() => performance.now() - started < sliceMs)
      const rate = done / ((performance.now() - started) / 1000)
      if (round > 0) rates.get(name).push(rate) // the first round warms up
    }
  }
  return new Map([...rates].map(([name, values]) => [name, median(values)]))
}

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]
}

/** Runs `one` as often as it can, `inFlight` at a time, until the slice is over. */
export async function inFlight(count, goOn, one) {
  let done = 0
  const lane = async () => {
    while (goOn()) {
      const count = await one()
      done += count
    }
  }
  await Promise.all(Array.from({ length: count }, lane))
  return done
}

/** Prints rates beside the ratio to one of them. */
export function report(title, rates, reference) {
  console.log(`\n${title}`)
  for (const [name, rate] of rates) {
    const ratio = (rate / rates.get(reference)).toFixed(2)
    console.log(`  ${name.padEnd(52)} ${String(Math.round(rate)).padStart(9)}/s  × ${ratio}`)
  }
}

/** A directory that is gone when the benchmark is. */
export function scratch() {
  const path = mkdtempSync(join(tmpdir(), 'nexus-bench-'))
  process.on('exit', () => rmSync(path, { recursive: true, force: true }))
  return path
}

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  return port
}

/** Starts a server and waits until it listens; it is stopped with the benchmark. */
export async function startServer(command, args, port) {
  const child = spawn(command, args.map(String), { stdio: 'ignore' })
  process.on('exit', () => child.kill('SIGKILL'))
  for (;;) {
    const socket = connect(port, '127.0.0.1')
    const listening = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false)
    socket.destroy()
    if (listening) return child
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** 200 bytes of data, as in ANCHORS.md. */
export const DATA = { text: 'x'.repeat(180) }
