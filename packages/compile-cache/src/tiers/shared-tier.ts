import { describeThrown } from '@nexus/diagnostics'
import type { Artifact } from '../compiled-handler.js'
import { MAX_SEALED_BYTES, Sealer } from './seal.js'

/** A cache that several machines use, such as a table in Redis or a NATS object store. */
export interface SharedTier {
  /** The bytes stored under `key` (64 hex digits), or undefined. */
  get(key: string): Promise<Uint8Array | undefined>
  /** Store `bytes` under `key`; storing the same key twice is harmless. */
  put(key: string, bytes: Uint8Array): Promise<void>
}

/** How long a shared tier that failed is left alone, so that its timeouts do not add up. */
const PAUSE_MS = 5000

/** What the shared tier did. */
export interface SharedTierStats {
  /** Artifacts that the tier had. */
  hits: number
  /** Artifacts that it had not, or did not answer for. */
  misses: number
  /** Answers that were damaged or not sealed with our secret; each also counts as a miss. */
  rejected: number
  /** Artifacts stored. */
  puts: number
  /** Calls that failed or took too long. */
  failures: number
}

/** How a shared tier is used. */
export interface SharedTierSettings {
  tier: SharedTier
  sealer: Sealer
  timeoutMs: number
  clock: () => number
  onTrouble: (message: string) => void
}

/** Reads and writes sealed artifacts in a shared tier, without ever failing or waiting long. */
export class SharedTierClient {
  readonly #settings: SharedTierSettings
  readonly #pending = new Set<Promise<unknown>>()
  #pausedUntil = Number.NEGATIVE_INFINITY
  #hits = 0
  #misses = 0
  #rejected = 0
  #puts = 0
  #failures = 0

  constructor(settings: SharedTierSettings) {
    this.#settings = settings
  }

  /** The artifact stored under `key`, or undefined. */
  async read(key: string): Promise<Artifact | undefined> {
    const bytes = await this.#attempt((tier) => tier.get(key))
    const artifact = bytes instanceof Uint8Array ? this.#open(key, bytes) : undefined
    if (bytes !== undefined && !artifact) this.#rejected++
    if (artifact) this.#hits++
    else this.#misses++
    return artifact
  }

  /** Store an artifact in the background; `flush()` waits for it. */
  write(key: string, artifact: Artifact): void {
    const { sealer } = this.#settings
    const { bytecode, sourceMap } = artifact
    const map = sourceMap === undefined ? undefined : Buffer.from(sourceMap)
    if (bytecode.byteLength + (map?.byteLength ?? 0) > MAX_SEALED_BYTES - Sealer.headerBytes) return
    const sealed = [sealer.seal('bytecode', key, bytecode, map !== undefined)]
    if (map) sealed.push(sealer.seal('source-map', key, map))
    const done = this.#attempt(async (tier) => {
      await tier.put(key, new Uint8Array(Buffer.concat(sealed)))
      this.#puts++
    }).finally(() => this.#pending.delete(done))
    this.#pending.add(done)
  }

  /** Wait until everything written so far is stored, has failed or has taken too long. */
  async flush(): Promise<void> {
    await Promise.all(this.#pending)
  }

  getStats(): SharedTierStats {
    return {
      hits: this.#hits,
      misses: this.#misses,
      rejected: this.#rejected,
      puts: this.#puts,
      failures: this.#failures,
    }
  }

  #open(key: string, bytes: Uint8Array): Artifact | undefined {
    const { sealer } = this.#settings
    const codeLength = Sealer.lengthOf(bytes)
    const code = sealer.open('bytecode', key, bytes.subarray(0, codeLength))
    if (!code) return undefined
    const rest = bytes.subarray(codeLength)
    if (!code.hasSourceMap) return rest.byteLength === 0 ? { bytecode: code.payload } : undefined
    const map = sealer.open('source-map', key, rest)
    return map && { bytecode: code.payload, sourceMap: Buffer.from(map.payload).toString() }
  }

  async #attempt<T>(call: (tier: SharedTier) => Promise<T>): Promise<T | undefined> {
    const { tier, timeoutMs, clock, onTrouble } = this.#settings
    if (clock() < this.#pausedUntil) return undefined
    let timer: NodeJS.Timeout | undefined
    try {
      const tooLate = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
      })
      return await Promise.race([call(tier), tooLate])
    } catch (error) {
      this.#failures++
      this.#pausedUntil = clock() + PAUSE_MS
      onTrouble(
        `The shared compile cache does not work, so handlers are compiled here: ${describeThrown(error).message}`,
      )
      return undefined
    } finally {
      clearTimeout(timer)
    }
  }
}
