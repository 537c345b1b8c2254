import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'

/** A directory with the given files, deleted when the test ends. */
export async function temporaryProject(files: Record<string, string> = {}): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'nexus-compile-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  await writeProject(directory, files)
  return directory
}

/** Write files below a directory, making the directories between. */
export async function writeProject(
  directory: string,
  files: Record<string, string>,
): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(directory, name)), { recursive: true })
    await writeFile(join(directory, name), content)
  }
}
