// Writes cache files until it is killed.
import { HandlerCompiler } from '../../dist/index.js'

const compiler = new HandlerCompiler({ cacheDir: process.argv[2] })
for (let n = 0; ; n++) {
  const source = `export default () => "${process.pid}:${n}:${'x'.repeat(20_000)}"`
  await compiler.precompile([source, { source, language: 'ts' }])
}
