import { access, constants, stat, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { parseArguments, parseCount, UsageError } from '../arguments.js'
import { connect, connectionOptions } from '../connection.js'
import { attempt, CommandError } from '../failure.js'
import { formatOf, renderProfile } from '../profile-file.js'
import { profileSummary } from '../profile-summary.js'
import { print, printable, styleOf, toJson } from '../terminal.js'

/** `nexus profile` */
export async function profile(args: readonly string[]): Promise<void> {
  const { values } = parseArguments(args, {
    ...connectionOptions,
    seconds: { type: 'string' },
    function: { type: 'string' },
    out: { type: 'string' },
  })
  const seconds = parseCount('--seconds', values.seconds ?? '10', 1, 240)
  const format = values.out === undefined ? 'html' : formatOf(values.out)
  if (format === undefined) {
    throw new UsageError(
      `--out: expected a file ending in .html, .cpuprofile, .pb.gz or .json, got "${values.out}"`,
    )
  }
  const client = connect(values.url)
  // Whoever wants JSON alone gets no file beside it.
  const file = values.out ?? (values.json ? undefined : defaultName())
  if (file !== undefined) await assertWritable(file)
  if (!values.json) process.stderr.write(`Profiling ${client.url} for ${seconds} s …\n`)
  const report = await attempt(
    'profile',
    client.url,
    client.profile({
      seconds,
      ...(values.function === undefined ? {} : { function: values.function }),
    }),
  )
  if (file !== undefined) await write(file, await renderProfile(report, format))
  if (values.json) {
    const { cpuProfile: _, ...figures } = report
    return print(`${toJson(figures, 2)}\n`)
  }
  const where = `\nWrote ${printable(file!)}\n`
  print(`${profileSummary(report, styleOf(process.stdout))}${where}`)
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

async function write(file: string, content: string | Uint8Array): Promise<void> {
  try {
    await writeFile(file, content)
  } catch (cause) {
    throw cannotWrite(file, cause)
  }
}

function cannotWrite(file: string, cause: unknown): CommandError {
  const message = `Cannot write ${file}: ${(cause as Error).message}`
  return new CommandError(message, 'Name a file in a directory that exists with --out', { cause })
}
