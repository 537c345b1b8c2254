import { randomUUID } from 'node:crypto'
import { link, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { SuspensionClaim, SuspensionStore } from './suspension-store.js'

const IMAGE = '.image'
/** Ids and hashes become names of files. */
const NAME = /^[0-9a-f-]{1,128}$/

/**
 * Keeps suspended calls as files: they outlive the process, and several processes may share the directory. Each file is
 * written beside its place, flushed to the disk and renamed.
 *
 * The nth claim on a call is a file of its own that only one process can make, and is there whole or not at all.
 */
export class FileSuspensionStore implements SuspensionStore {
  readonly #calls: string
  readonly #claims: string
  readonly #handlers: string

  /** @param directory made when it is not there; keep it where no one else can write */
  constructor(directory: string) {
    this.#calls = join(directory, 'calls')
    this.#claims = join(directory, 'claims')
    this.#handlers = join(directory, 'handlers')
  }

  /** See {@link SuspensionStore.save}. */
  async save(callId: string, image: Uint8Array): Promise<void> {
    await replace(this.#calls, `${named(callId)}${IMAGE}`, image)
  }

  /** See {@link SuspensionStore.load}. */
  load(callId: string): Promise<Uint8Array | undefined> {
    return read(join(this.#calls, `${named(callId)}${IMAGE}`))
  }

  /** See {@link SuspensionStore.list}. */
  async list(): Promise<string[]> {
    const names = await unlessMissing(readdir(this.#calls))
    return (names ?? [])
      .filter((name) => name.endsWith(IMAGE))
      .map((name) => name.slice(0, -IMAGE.length))
  }

  /** See {@link SuspensionStore.claim}. */
  async claim(callId: string, claim: SuspensionClaim): Promise<'won' | 'held'> {
    const last = await this.#lastClaim(callId)
    if (last.claim && last.claim.until > Date.now()) return 'held'
    const made = await create(this.#claims, `${callId}.${last.number + 1}`, JSON.stringify(claim))
    return made ? 'won' : 'held'
  }

  /** See {@link SuspensionStore.holds}. */
  async holds(callId: string, token: string): Promise<boolean> {
    return (await this.#lastClaim(callId)).claim?.token === token
  }

  /** See {@link SuspensionStore.release}. */
  async release(callId: string, token: string): Promise<void> {
    const last = await this.#lastClaim(callId)
    if (last.claim?.token !== token) return
    // The number stays used: a process that is about to make the next one must not meet this one again.
    await replace(this.#claims, `${callId}.${last.number}`, JSON.stringify({ token: '', until: 0 }))
  }

  /** See {@link SuspensionStore.remove}. */
  async remove(callId: string): Promise<void> {
    const { number } = await this.#lastClaim(callId)
    await rm(join(this.#calls, `${callId}${IMAGE}`), { force: true })
    for (let n = number; n > 0; n--) await rm(join(this.#claims, `${callId}.${n}`), { force: true })
  }

  /** See {@link SuspensionStore.saveHandler}. */
  async saveHandler(hash: string, image: Uint8Array): Promise<void> {
    await create(this.#handlers, named(hash), image)
  }

  /** See {@link SuspensionStore.loadHandler}. */
  loadHandler(hash: string): Promise<Uint8Array | undefined> {
    return read(join(this.#handlers, named(hash)))
  }

  async #lastClaim(callId: string): Promise<{ number: number; claim?: SuspensionClaim }> {
    let claim: SuspensionClaim | undefined
    for (let number = 1; ; number++) {
      const bytes = await read(join(this.#claims, `${named(callId)}.${number}`))
      if (!bytes) return claim ? { number: number - 1, claim } : { number: 0 }
      claim = JSON.parse(bytes.toString()) as SuspensionClaim
    }
  }
}

function named(id: string): string {
  if (NAME.test(id)) return id
  throw new TypeError('Expected the id of a suspended call')
}

async function read(path: string): Promise<Buffer | undefined> {
  return await unlessMissing(readFile(path))
}

async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** A file beside its place, flushed to the disk. */
async function writeBeside(directory: string, content: string | Uint8Array): Promise<string> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const path = join(directory, `.${randomUUID()}`)
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(content)
    await file.sync()
  } catch (error) {
    await rm(path, { force: true })
    throw error
  } finally {
    await file.close()
  }
  return path
}

async function replace(
  directory: string,
  name: string,
  content: string | Uint8Array,
): Promise<void> {
  const path = await writeBeside(directory, content)
  await rename(path, join(directory, name))
  await flushNames(directory)
}

/** @returns whether there was no such file */
async function create(
  directory: string,
  name: string,
  content: string | Uint8Array,
): Promise<boolean> {
  const path = await writeBeside(directory, content)
  try {
    await link(path, join(directory, name))
    await flushNames(directory)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await rm(path, { force: true })
  }
}

/** A name is in the directory only when the directory itself is on the disk. Windows has no such call. */
async function flushNames(directory: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(directory)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
