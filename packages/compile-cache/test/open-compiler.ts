import { HandlerCompiler, type HandlerCompilerOptions } from '@nexus/compile-cache'
import { onTestFinished } from 'vitest'

/** A compiler that is closed when the test ends; without a disk tier unless told. */
export function openCompiler(options: HandlerCompilerOptions = {}): HandlerCompiler {
  const compiler = new HandlerCompiler({ cacheDir: false, ...options })
  onTestFinished(() => compiler.close())
  return compiler
}

/** A module of about `length` characters. */
export function sourceOfLength(length: number, seed = 0): string {
  let source = ''
  for (let n = 0; source.length < length; n++) {
    source += `export function f${n}(a) { return { ...a, n: ${n + seed}, list: [a.x, a.y].map((v) => v * ${n}) } }\n`
  }
  return `${source}export default (event) => f1(event)\n`
}
