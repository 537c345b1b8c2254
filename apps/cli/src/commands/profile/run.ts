import { access, constants, stat, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { ProfileReport } from '@nexus/client'
import { describeThrown } from '@nexus/diagnostics'
import { runs } from '../../command-line/parse.js'
import { UsageError } from '../../command-line/usage-error.js'
import { connect } from '../../server/connect.js'
import { attempt, CommandError } from '../../server/failure.js'
import { print, printError } from '../../terminal/output.js'
import { printable, styleOf, toJson } from '../../terminal/terminal.js'
import { profile } from './command.js'
import { formatOf, type ProfileFormat, renderProfile, threadProfiles } from './profile-file.js'
import { profileSummary } from './profile-summary.js'

/** `nexus profile` */
export const runProfile = runs(profile, async ({ values }) => {
  const { seconds } = values
  const format = values.out === undefined ? 'html' : formatOf(values.out)
  const tools = values.heap ? 'heapprofile' : 'cpuprofile'
  if (format === undefined || (format.endsWith('profile') && format !== tools)) {
    throw new UsageError(
      `--out: expected a file ending in .html, .${tools}, .pb.gz or .json, got "${values.out}"`,
    )
  }
  const client = connect(values.url)
  // With --json alone no file is written.
  const file = values.out ?? (values.json ? undefined : defaultName())
  if (file !== undefined) await assertWritable(file)
  if (!values.json) printError(`Profiling ${client.url} for ${seconds} s …\n`)
  const answer = await attempt(
    'profile',
    client.url,
    client.profile({
      seconds,
      ...(values.function === undefined ? {} : { function: values.function }),
      ...(values.heap ? { heap: true } : {}),
    }),
  )
  const report = values.heap ? answer : withoutHeap(answer)
  const files = file === undefined ? [] : await writeFiles(file, format, report)
  if (values.json) {
    return print(`${toJson(withoutProfiles(report), 2)}\n`)
  }
  const where = `\nWrote ${files.map(printable).join(', ')}\n`
  print(`${profileSummary(report, styleOf(process.stdout))}${where}`)
})

/** What was not asked for is not shown, whatever the server sends. */
function withoutHeap({ heap: _, ...report }: ProfileReport): ProfileReport {
  return report
}

/** The profiles themselves are for files. */
function withoutProfiles({ cpuProfile: _, heap, ...rest }: ProfileReport): object {
  const threads = rest.threads.map(({ cpuProfile: _, ...thread }) => thread)
  return { ...rest, threads, ...(heap && { heap: { functions: heap.functions } }) }
}

function defaultName(): string {
  const time = new Date().toISOString().replace(/[-:]|\.\d+Z$/g, '')
  return `nexus-profile-${time}.html`
}

/** Better to hear of it before the profile is taken than after. */
async function assertWritable(file: string): Promise<void> {
  try {
    await access(dirname(resolve(file)), constants.W_OK)
    if ((await stat(file).catch(() => undefined))?.isDirectory())
      throw new Error('it is a directory')
  } catch (cause) {
    throw cannotWrite(file, cause)
  }
}

/** One file, but of the format for developer tools one for each thread: they draw a single time line. */
async function writeFiles(
  file: string,
  format: ProfileFormat,
  report: ProfileReport,
): Promise<string[]> {
  const rendered = await renderProfile(report, format).catch((cause: unknown) => {
    const message = `Cannot read the profile that the server sent: ${describeThrown(cause).message}`
    throw new CommandError(message, 'Check that the server has the version of this command', {
      cause,
    })
  })
  await write(file, rendered)
  if (format !== 'cpuprofile') return [file]
  const files = [file]
  for (const { thread, profile } of threadProfiles(report).slice(1)) {
    // The server chooses the name of a thread; it must not choose where the file lies.
    const name = thread.replace(/[^\w-]+/g, '_').slice(0, 64)
    const beside = file.replace(/\.cpuprofile$/i, () => `.${name}.cpuprofile`)
    await write(beside, JSON.stringify(profile))
    files.push(beside)
  }
  return files
}

async function write(file: string, content: string | Uint8Array): Promise<void> {
  try {
    await writeFile(file, content)
  } catch (cause) {
    throw cannotWrite(file, cause)
  }
}

function cannotWrite(file: string, cause: unknown): CommandError {
  const message = `Cannot write ${file}: ${describeThrown(cause).message}`
  return new CommandError(message, 'Name a file in a directory that exists with --out', { cause })
}
