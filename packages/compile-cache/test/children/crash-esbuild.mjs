// Nests deeper than esbuild's stack (1 GB, some 1,150 bytes for each level) while a neighbour compiles, then compiles once more.
import { HandlerCompiler } from '../../dist/index.js'

const compiler = new HandlerCompiler({ cacheDir: false, compileTimeoutMs: 60_000 })
const outcome = (source, filename) =>
  compiler.compile(source, { filename }).then(
    () => 'ok',
    (error) => error.code,
  )
const bomb = outcome(`x = ${'!'.repeat(1_200_000)}1`, 'bomb.ts')
const neighbour = outcome('export default (a: number) => a', 'neighbour.ts')
const result = { bomb: await bomb, neighbour: await neighbour }
console.log(JSON.stringify({ ...result, next: await outcome('let a: number', 'next.ts') }))
await compiler.close()
