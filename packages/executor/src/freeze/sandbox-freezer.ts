import { createHash } from 'node:crypto'
import { type HandlerImage, PoolError, type QuickJSInstance } from '@nexus/instance-pool'
import type { PartName } from '../guest/platform/part.js'
import type { NativeObjects } from '../native/native-objects.js'
import type { ModuleLoader } from '../quickjs/module-loader.js'
import { compressed, decompressed } from './compressed.js'
import type { FrozenBase, FrozenHandler, FrozenSandbox } from './frozen-sandbox.js'

/** Above this, what a guest no longer reaches is looked for before it is frozen. */
const GARBAGE_WORTH_BYTES = 1024 * 1024
/** The list of changes is at most so much longer than the memory. */
const OVERHEAD_BYTES = 4 * 1024 * 1024

/** What a sandbox is frozen with in addition to its memory. */
export interface FreezingGuest {
  readonly instance: QuickJSInstance
  readonly parts: Iterable<PartName>
  readonly objects: NativeObjects
}

/** The base of a loader's template. */
export function frozenBase({ template, kind }: ModuleLoader): FrozenBase {
  const { identity, programs } = template
  return { identity, programs, ...kind }
}

/**
 * Freezes a sandbox in which no code is under way; its instance must be bound again, or disposed, after that.
 *
 * @param image what its memory is compared with
 */
export function freeze(
  loader: ModuleLoader,
  image: HandlerImage,
  { instance, parts, objects }: FreezingGuest,
): FrozenSandbox {
  const { elapsedMs } = instance
  instance.end()
  if (instance.allocatedBytes > GARBAGE_WORTH_BYTES) instance.collectGarbage()
  const { memoryBytes, difference } = loader.template.freeze(instance, image)
  return {
    base: frozenBase(loader),
    memoryBytes,
    memory: compressed(difference),
    parts: [...parts],
    elapsedMs,
    objects: { lastId: objects.lastId, kept: objects.kept() },
  }
}

/**
 * The image that an instance is bound to, once, to go on.
 *
 * @param image what the memory was compared with
 * @throws PoolError `IMAGE_REFUSED`
 */
export function thaw(
  loader: ModuleLoader,
  image: HandlerImage,
  { base, memory, memoryBytes }: FrozenSandbox,
): HandlerImage {
  assertBase(loader, base)
  const difference = decompressed(memory, memoryBytes + OVERHEAD_BYTES)
  return loader.template.thaw({ memoryBytes, difference }, image)
}

/**
 * An image on another base would silently never settle.
 *
 * @throws PoolError `IMAGE_REFUSED` naming both
 */
export function assertBase({ template }: ModuleLoader, base: FrozenBase): void {
  const { programs, identity } = template
  if (base.identity === identity) return
  const shown = (names: readonly string[], id: string) => `${names.join(', ')}, base ${id}`
  throw new PoolError(
    'IMAGE_REFUSED',
    `The sandbox was frozen on another engine or another build of Nexus, and can only be thawed there: frozen on ${shown(base.programs, base.identity)}; here is ${shown(programs, identity)}`,
  )
}

const frozenHandlers = new WeakMap<HandlerImage, FrozenHandler>()

/** The image of a handler, so that it can be laid down in another process; made once. */
export function freezeHandler(loader: ModuleLoader, image: HandlerImage): FrozenHandler {
  let frozen = frozenHandlers.get(image)
  if (!frozen) {
    const { memoryBytes, difference } = loader.template.freezeImage(image)
    const hash = createHash('sha256').update(loader.template.identity).update(difference)
    frozen = { hash: hash.digest('hex'), memoryBytes, memory: compressed(difference) }
    frozenHandlers.set(image, frozen)
  }
  return frozen
}

/**
 * The image of a handler that was frozen on the same base.
 *
 * @throws PoolError `IMAGE_REFUSED`
 */
export function thawHandler(
  { template }: ModuleLoader,
  { memory, memoryBytes }: FrozenHandler,
): HandlerImage {
  const difference = decompressed(memory, memoryBytes + OVERHEAD_BYTES)
  return template.thaw({ memoryBytes, difference }, template.baseImage)
}
