import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

/** The command as the source has it now. */
const bin = fileURLToPath(new URL('../dist/nexus.cjs', import.meta.url))

/** How a command ended. */
export interface Outcome {
  code: number | null
  stdout: string
  stderr: string
}

interface SpawnOptions {
  cwd?: string
  env?: Record<string, string>
  /** A file to write to instead of a pipe. */
  stdout?: number
}

function launch(args: readonly string[], { cwd, env = {}, stdout }: SpawnOptions): ChildProcess {
  const child = spawn(process.execPath, [bin, ...args], {
    cwd,
    stdio: ['ignore', stdout ?? 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, ...env },
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

/** Runs `nexus` to its end, as a user would with its output in a pipe. */
export async function nexus(args: readonly string[], options: SpawnOptions = {}): Promise<Outcome> {
  const child = launch(args, options)
  const outcome = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (chunk) => {
      outcome[name] += chunk
    })
  }
  const code = await new Promise<number | null>((ended) => child.on('close', ended))
  return { code, ...outcome }
}

/** Runs `nexus` with a reader that closes the pipe after the first bytes, as `head` does. */
export async function nexusIntoHead(args: readonly string[]): Promise<Omit<Outcome, 'stdout'>> {
  const child = launch(args, {})
  let stderr = ''
  child.stdout!.once('data', () => child.stdout!.destroy())
  child.stderr!.setEncoding('utf8').on('data', (chunk) => {
    stderr += chunk
  })
  const code = await new Promise<number | null>((ended) => child.on('exit', ended))
  return { code, stderr }
}

/** Runs `nexus` on a terminal, where a person types one line. Everything it writes is in `stdout`. */
export async function nexusOnTerminal(
  args: readonly string[],
  line: string,
): Promise<Omit<Outcome, 'stderr'>> {
  const command = [process.execPath, bin, ...args].map((word) => `'${word}'`).join(' ')
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { PATH: process.env.PATH, TERM: 'dumb' },
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let stdout = ''
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    stdout += chunk
    if (stdout.includes('[y/N]') && child.stdin.writable) child.stdin.end(`${line}\n`)
  })
  const code = await new Promise<number | null>((ended) => child.on('close', ended))
  return { code, stdout }
}

/** A `nexus start` or `nexus dev` in a process of its own. */
export interface Server {
  url: string
  /** Everything it has written so far. */
  output(): string
  /** Sends a signal and waits for the end. */
  stop(signal: NodeJS.Signals): Promise<number | null>
}

/** A command that goes on until it is told to stop. */
export interface LongCommand {
  /** Everything it has written so far. */
  stdout(): string
  stderr(): string
  /** Sends a signal and waits for the end. */
  stop(signal: NodeJS.Signals): Promise<number | null>
}

/** Runs a `nexus` that does not end by itself, with its output in a pipe. */
export function nexusUntilStopped(
  args: readonly string[],
  options: SpawnOptions = {},
): LongCommand {
  const child = launch(args, options)
  const written = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]!.setEncoding('utf8').on('data', (chunk) => {
      written[name] += chunk
    })
  }
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  return {
    stdout: () => written.stdout,
    stderr: () => written.stderr,
    stop: (signal) => {
      child.kill(signal)
      return ended
    },
  }
}

/** Starts a server on a free port, or on `port`, and waits until it says that it listens. */
export async function nexusServer(
  args: readonly string[],
  options: SpawnOptions = {},
  port = '0',
): Promise<Server> {
  const child = launch([...args, '--port', port], options)
  let output = ''
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  const url = await new Promise<string>((found, failed) => {
    const read = (chunk: string) => {
      output += chunk
      const [, address] = /(http:\/\/127\.0\.0\.1:\d+)[\s"]/.exec(output) ?? []
      if (address) found(address)
    }
    child.stdout!.setEncoding('utf8').on('data', read)
    child.stderr!.setEncoding('utf8').on('data', read)
    void ended.then((code) => failed(new Error(`nexus ended with ${code}:\n${output}`)))
  })
  return {
    url,
    output: () => output,
    stop: (signal) => {
      child.kill(signal)
      return ended
    },
  }
}
