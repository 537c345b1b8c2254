/** Where the bytecode came from; `none` when it was compiled by this call. */
export type CacheTier = 'memory' | 'disk' | 'shared' | 'none'

/** A handler as QuickJS module bytecode, ready for `vm.evalBytecode`. */
export interface CompiledHandler {
  /** QuickJS module bytecode. It is the cached copy: neither change nor transfer it. */
  bytecode: Uint8Array
  /** JSON of a source map (version 3, with `sourcesContent`) from the bytecode's lines to the sources. */
  sourceMap?: string | undefined
  /** 64 hex digits: SHA-256 of source, options, engine and wrapper version. */
  cacheKey: string
  /** Whether any tier had the bytecode. */
  cacheHit: boolean
  /** The tier that had it. */
  cacheTier: CacheTier
  /** What this call took, in microseconds. */
  compileTimeUs: number
  /** The file name in the bytecode's stack traces. */
  filename: string
  /** The files that the bundle was made of, as absolute paths; only of `compileFile`. */
  inputs?: string[] | undefined
}

/** How to compile one source. */
export interface CompileOptions {
  /**
   * File name for stack traces and errors.
   * @default `handler.js` or `handler.ts`
   */
  filename?: string | undefined
  /**
   * Language of the source; `ts` goes through esbuild, which drops the types without checking them.
   * @default by the extension of `filename`: `.ts` and `.mts` are `ts`, everything else is `js`
   */
  language?: 'js' | 'ts' | undefined
}

/** What the tiers store for one key. */
export interface Artifact {
  bytecode: Uint8Array
  sourceMap?: string | undefined
}
