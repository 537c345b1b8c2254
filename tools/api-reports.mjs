// Writes what each package exports into api/<entry>.api.md beside its manifest, so that a change of the public surface
// shows in review. Reads the built declarations: run `pnpm build` before.
//
//   node tools/api-reports.mjs [--check] [package …]
//
// With --check nothing is written: a report that is out of date is an error. A public member without a doc comment
// is an error in both cases.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { Extractor, ExtractorConfig } from '@microsoft/api-extractor'
import { publishablePackages } from './publishable.mjs'

const root = join(import.meta.dirname, '..')
const args = process.argv.slice(2)
const check = args.includes('--check')
const names = args.filter((arg) => !arg.startsWith('--')).map((arg) => arg.replace(/^@nexus\//, ''))
const scratch = mkdtempSync(join(tmpdir(), 'nexus-api-'))
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }))

const compilerOptions = {
  target: 'es2022',
  lib: ['es2023', 'dom'],
  module: 'nodenext',
  moduleResolution: 'nodenext',
  types: ['node'],
  strict: true,
  skipLibCheck: true,
}

let problems = 0
for (const { folder, manifest } of await publishablePackages(root)) {
  if (names.length > 0 && !names.includes(basename(folder))) continue
  const written = new Set()
  for (const [subpath, target] of Object.entries(manifest.publishConfig?.exports ?? {})) {
    if (!target.types) continue
    const entry = subpath === '.' ? 'index' : subpath.slice(2).replaceAll('/', '-')
    written.add(`${entry}.api.md`)
    for (const problem of report(folder, target.types, entry)) say(folder, problem)
  }
  for (const file of listReports(folder)) {
    if (!written.has(file)) say(folder, `api/${file} belongs to no entry of the package: delete it`)
  }
}
process.exitCode = problems > 0 ? 1 : 0

function say(folder, problem) {
  problems++
  console.error(`${folder}: ${problem}`)
}

function listReports(folder) {
  const reports = join(root, folder, 'api')
  return existsSync(reports) ? readdirSync(reports) : []
}

/** Writes or compares the report of one entry of a package, and returns what is wrong. */
function report(folder, types, entry) {
  const declarations = join(root, folder, types)
  if (!existsSync(declarations)) return [`${types} is missing: run pnpm build`]
  const reports = join(root, folder, 'api')
  mkdirSync(reports, { recursive: true })
  const found = []
  const { apiReportChanged } = Extractor.invoke(
    ExtractorConfig.prepare({
      configObject: {
        projectFolder: join(root, folder),
        mainEntryPointFilePath: declarations,
        compiler: { overrideTsconfig: { compilerOptions } },
        apiReport: {
          enabled: true,
          reportFolder: reports,
          reportTempFolder: scratch,
          reportFileName: `${entry}.api.md`,
        },
        docModel: { enabled: false },
        dtsRollup: { enabled: false },
        tsdocMetadata: { enabled: false },
        newlineKind: 'lf',
      },
      configObjectFullPath: undefined,
      packageJsonFullPath: join(root, folder, 'package.json'),
    }),
    {
      localBuild: !check,
      messageCallback: (message) => {
        if (message.logLevel === 'error') found.push(message.text)
        // Warnings stand in the report itself; whether it changed is the answer of `invoke`.
        message.handled = true
      },
    },
  )
  if (check && apiReportChanged) {
    found.push(`api/${entry}.api.md is out of date: run pnpm api and commit what it changes`)
  }
  const text = readFileSync(join(check ? scratch : reports, `${entry}.api.md`), 'utf8')
  const lines = text.split('\n')
  for (const [index, line] of lines.entries()) {
    if (!line.includes('(undocumented)') || line.includes('@internal')) continue
    const member = lines.slice(index + 1).find((next) => !/^\s*(\/\/|$)/.test(next))
    found.push(`${entry}: no doc comment on ${member?.trim()}`)
  }
  return found
}
