import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Start a script of this folder; its standard error is dropped. */
export function startChild(script: string, args: string[]): ChildProcess {
  const path = fileURLToPath(new URL(script, import.meta.url))
  return spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'pipe', 'ignore'] })
}

/** Run a script of this folder to its end. */
export function runChild(
  script: string,
  args: string[],
): Promise<{ code: number | null; stdout: string }> {
  return new Promise((resolve, reject) => {
    const child = startChild(script, args)
    let stdout = ''
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout }))
  })
}
