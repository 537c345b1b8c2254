// Compiles on the worker thread and neither closes the compiler nor exits.
import { HandlerCompiler } from '../../dist/index.js'

const compiler = new HandlerCompiler({ cacheDir: false, offloadLength: 0 })
await compiler.compile('export default () => 1')
console.log(`compiled on the worker: ${compiler.getStats().workerCompiles}`)
