import type { Logger } from '@nexus/diagnostics'
import type { CompiledFunction } from '../function-definition.js'

/** Logs whether a function was compiled, or which cache had its code. */
export function logCompiled(
  logger: Logger,
  name: string,
  compiled: CompiledFunction['compiled'],
): void {
  const { cacheTier, compileTimeUs } = compiled
  const bytes = 'bytecode' in compiled ? compiled.bytecode.byteLength : compiled.program.byteLength
  const fields = { function: name, bytes, ms: Number((compileTimeUs / 1000).toFixed(2)) }
  if (cacheTier === 'none') logger.info(fields, 'compiled and cached')
  else logger.debug({ ...fields, cacheTier }, 'compiled code came from the cache')
}
