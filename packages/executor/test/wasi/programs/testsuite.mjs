// Runs the preview 1 programs of https://github.com/WebAssembly/wasi-testsuite and prints which fail, and why.
//
//   git clone -b prod/testsuite-base https://github.com/WebAssembly/wasi-testsuite
//   node packages/executor/test/wasi/programs/testsuite.mjs wasi-testsuite
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, posix } from 'node:path'
import { WasmRuntime } from '../../../dist/index.js'

const checkout = process.argv[2]
if (checkout === undefined || !existsSync(join(checkout, 'tests'))) {
  process.stderr.write('Usage: node testsuite.mjs <checkout of the branch prod/testsuite-base>\n')
  process.exit(2)
}

/** The files below a directory of the host, as a command finds them below `at`. */
function filesBelow(directory, at) {
  return Object.assign(
    {},
    ...readdirSync(directory).map((name) => {
      const path = join(directory, name)
      const guestPath = posix.join(at, name)
      return statSync(path).isDirectory()
        ? filesBelow(path, guestPath)
        : { [guestPath]: readFileSync(path) }
    }),
  )
}

function specificationOf(directory, name) {
  const path = join(directory, `${name}.json`)
  const {
    args = [],
    env = {},
    dirs = [],
    root,
    exit_code: exitCode = 0,
  } = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {}
  const files = Object.assign(
    root === undefined ? {} : filesBelow(join(directory, root), '/'),
    ...dirs
      .filter((dir) => existsSync(join(directory, dir)))
      .map((dir) => filesBelow(join(directory, dir), `/${dir}`)),
  )
  // The one preopened directory here is `/`.
  return { args: args.map((arg) => (dirs.includes(arg) ? '/' : arg)), env, files, exitCode }
}

/** A command whose output is no JSON has failed for us, but not for the suite. */
function exitCodeOf({ status, error }) {
  if (status === 'success' || /JSON/.test(error.message)) return 0
  return Number(/exit(?:ed with)? code (\d+)/i.exec(error.message)?.[1] ?? Number.NaN)
}

const runtime = new WasmRuntime({ threads: 1, cacheDir: false, timeoutMs: 10_000 })
const failures = []
let programs = 0
for (const language of readdirSync(join(checkout, 'tests'))) {
  const directory = join(checkout, 'tests', language, 'testsuite', 'wasm32-wasip1')
  if (!existsSync(directory)) continue
  for (const file of readdirSync(directory).filter((name) => name.endsWith('.wasm'))) {
    programs++
    const { args, env, files, exitCode } = specificationOf(directory, file.slice(0, -5))
    try {
      const command = await runtime.precompileFile(join(directory, file), { args, files })
      const result = await runtime.executeCompiledHandler(command, { event: null, env })
      if (exitCodeOf(result) === exitCode) continue
      failures.push([`${language}/${file}`, ...result.logs.map(({ message }) => message)])
    } catch (error) {
      failures.push([`${language}/${file}`, error.message])
    }
  }
}
await runtime.shutdown()
for (const [name, ...lines] of failures) console.log(`${name}\n  ${lines.join('\n  ')}`)
console.log(`${programs - failures.length} of ${programs} programs end as they should`)
