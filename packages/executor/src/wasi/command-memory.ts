import type { DiscardReason, InstanceKind } from '@nexus/instance-pool'
import { PAGE_BYTES } from './module/command-layout.js'

/**
 * A memory up to this size is zeroed and used again: that takes less time than making another one. What
 * is larger is left to the garbage collector.
 */
const REUSED_BYTES = 2 * 1024 * 1024

/** The memory that a command is wanted to run in, in pages. */
export interface MemoryUse {
  readonly initial: number
  readonly maximum: number
}

/** The linear memory of commands, all zeros between them. */
export class CommandMemory {
  readonly memory: WebAssembly.Memory

  constructor(readonly use: MemoryUse) {
    this.memory = new WebAssembly.Memory({ initial: use.initial, maximum: use.maximum })
  }

  get bytes(): number {
    return this.memory.buffer.byteLength
  }
}

/**
 * Memories for an `InstancePool`.
 *
 * Each call gets a new instance of its module, so globals, tables and dropped segments are as the module
 * declares them, exported or not; what costs time is the memory, and that is what is kept.
 */
export class CommandMemoryKind implements InstanceKind<CommandMemory, MemoryUse> {
  async create(use: MemoryUse): Promise<CommandMemory> {
    return new CommandMemory(use)
  }

  accepts(memory: CommandMemory, use: MemoryUse): boolean {
    return this.isBoundTo(memory, use)
  }

  isBoundTo({ use: { initial, maximum } }: CommandMemory, use: MemoryUse): boolean {
    return initial === use.initial && maximum === use.maximum
  }

  bind(): void {}

  reset(memory: CommandMemory): DiscardReason | undefined {
    if (memory.bytes > memory.use.initial * PAGE_BYTES) return 'growth'
    if (memory.bytes > REUSED_BYTES) return 'recycled'
    new Uint8Array(memory.memory.buffer).fill(0)
    return undefined
  }

  memoryBytes(memory: CommandMemory): number {
    return memory.bytes
  }

  dispose(): void {}
}
