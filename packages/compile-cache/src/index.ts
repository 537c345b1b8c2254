export type { CacheTier, CompiledHandler, CompileOptions } from './compiled-handler.js'
export type { CompileErrorCode, SourceLocation } from './errors.js'
export { CompileError } from './errors.js'
export type {
  CompileFileOptions,
  HandlerCompilerStats,
  PrecompileItem,
  PruneOptions,
} from './handler-compiler.js'
export { HandlerCompiler } from './handler-compiler.js'
export type { ImportRule } from './import-gate/import-refusal.js'
export type { ModuleCacheOptions, ModuleCacheStats, ModuleEntry } from './module-cache.js'
export { ModuleCache } from './module-cache.js'
export type { HandlerCompilerOptions } from './options.js'
export type { DiskTierStats } from './tiers/disk-tier.js'
export type { Pruned } from './tiers/disk-usage.js'
export type { CacheEntry, MemoryTierStats } from './tiers/memory-tier.js'
export type { SharedTier, SharedTierStats } from './tiers/shared-tier.js'
