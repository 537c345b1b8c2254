import { HandlerCompiler } from '../../dist/index.js'

const [rootDir, path] = process.argv.slice(2)
const compiler = new HandlerCompiler({ rootDir, cacheDir: false })
await compiler.compileFile(path).catch(() => undefined)
await compiler.close()
