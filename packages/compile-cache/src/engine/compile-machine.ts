import { describeThrown } from '@nexus/diagnostics'
import { EvalFlags, JSException, QuickJS } from 'quickjs-wasi'
import type { EngineLimits } from './engine-limits.js'
import {
  offsetOfImport,
  offsetOfName,
  offsetOfPosition,
  smallestFailingPrefix,
} from './fault-offset.js'

/** Why the engine did not compile a source. Plain data, so that it crosses threads. */
export interface EngineFault {
  /** `limit`: too deep or too big; `import`: it imports a module, and nothing was bundled. */
  kind: 'syntax' | 'import' | 'limit'
  message: string
  /** Where, in UTF-16 code units from the start of the source; absent when nothing tells. */
  offset?: number | undefined
}

/** Bytecode, or the reason why there is none. */
export type EngineResult = { bytecode: Uint8Array<ArrayBuffer> } | { fault: EngineFault }

const MODULE_ONLY = EvalFlags.TYPE_MODULE | EvalFlags.COMPILE_ONLY

/** Heap given to a machine up front, so that an ordinary compile does not grow its memory. */
const HEAP_BYTES = 8 * 1024 * 1024

/** Longest search for a fault that the engine does not place, in milliseconds. */
const SEARCH_BUDGET_MS = 50

/** One QuickJS virtual machine that only compiles, rewound to its first state after each compile. */
export class CompileMachine {
  readonly #vm: QuickJS
  readonly #imports: ImportProbe
  readonly #imageStart: number
  readonly #image: Uint8Array
  readonly #memoryBytes: number
  #spent = false

  static async create(wasm: WebAssembly.Module, limits: EngineLimits): Promise<CompileMachine> {
    const imports: ImportProbe = { missing: undefined }
    const vm = await QuickJS.create({
      wasm,
      memoryLimit: limits.memoryLimitBytes,
      maxStackSize: limits.maxStackBytes,
      moduleLoader: {
        load(specifier) {
          imports.missing ??= specifier
          throw new Error(`Cannot find module ${specifier}`)
        },
      },
    })
    return new CompileMachine(vm, imports)
  }

  private constructor(vm: QuickJS, imports: ImportProbe) {
    this.#vm = vm
    this.#imports = imports
    const { memory, wasm_malloc, wasm_free, __stack_pointer } = vm._getExports()
    const usedBytes = memory.buffer.byteLength
    wasm_free(wasm_malloc(HEAP_BYTES))
    // Below the stack pointer lies only the empty stack.
    this.#imageStart = __stack_pointer.value
    this.#image = new Uint8Array(memory.buffer).slice(this.#imageStart, usedBytes)
    this.#memoryBytes = memory.buffer.byteLength
  }

  /** Whether the machine grew or trapped and must not be used again. */
  get spent(): boolean {
    return this.#spent
  }

  /** Compile `source` as an ES module that calls itself `filename`. */
  compile(source: string, filename: string): EngineResult {
    try {
      const bytecode = this.#vm.compile(source, filename, MODULE_ONLY)
      return { bytecode: bytecode as Uint8Array<ArrayBuffer> }
    } catch (error) {
      return { fault: this.#diagnose(error, source) }
    } finally {
      this.#rewind()
    }
  }

  #diagnose(error: unknown, source: string): EngineFault {
    const specifier = this.#imports.missing
    if (specifier !== undefined) {
      const message = `Cannot find module "${specifier}"`
      return { kind: 'import', message, offset: offsetOfImport(specifier, source) }
    }
    const summary = describeThrown(error).message
    if (!summary.startsWith('Compilation error: ')) {
      // Not a refusal of the engine but a wasm trap, the host's own stack or memory running out.
      this.#spent = true
      return { kind: 'limit', message: summary }
    }
    const [, name, message] = /^Compilation error: (?:(\w+): )?(.*)$/s.exec(summary) ?? []
    // Regular expressions call running out of memory or stack a syntax error too.
    if (name !== 'SyntaxError' || /^(out of memory|stack overflow)$/.test(message ?? '')) {
      return { kind: 'limit', message: message ?? summary }
    }
    return { kind: 'syntax', message: message ?? summary, offset: this.#offsetOf(source) }
  }

  #offsetOf(source: string): number | undefined {
    const exception = this.#exceptionOf(source)
    if (exception === undefined) return undefined
    const { message, position } = exception
    if (position) return offsetOfPosition(source, position.line, position.byteColumn)
    return (
      offsetOfName(message, source) ??
      smallestFailingPrefix(source, SEARCH_BUDGET_MS, (prefix) => {
        const other = this.#exceptionOf(prefix)
        return other !== undefined && other.message === message && other.position === undefined
      })
    )
  }

  /** `vm.compile` drops the exception with its position; compiling through `evalCode` shows it. */
  #exceptionOf(source: string): EngineException | undefined {
    this.#rewind()
    if (this.#spent) return undefined
    try {
      this.#vm.evalCode(source, 'source', MODULE_ONLY).dispose()
    } catch (exception) {
      if (exception instanceof JSException) {
        const { message } = exception
        const at = /:(\d+):(\d+)\s*$/.exec(exception.stack ?? '')
        exception.dispose()
        const position = at ? { line: Number(at[1]), byteColumn: Number(at[2]) } : undefined
        return { message, position }
      }
      this.#spent = true
    }
    return undefined
  }

  #rewind(): void {
    this.#imports.missing = undefined
    const { memory } = this.#vm._getExports()
    if (memory.buffer.byteLength !== this.#memoryBytes) this.#spent = true
    if (!this.#spent) new Uint8Array(memory.buffer).set(this.#image, this.#imageStart)
  }
}

/** The first specifier that the engine asked for; it asks only when it compiles an `import`. */
interface ImportProbe {
  missing: string | undefined
}

interface EngineException {
  message: string
  position: { line: number; byteColumn: number } | undefined
}
