import type { HostileProgram } from './program.js'
import { errors } from './programs/errors.js'
import { hostReach, hostWrites } from './programs/host-reach.js'
import { loops } from './programs/loops.js'
import { memoryBombs } from './programs/memory.js'
import { modules } from './programs/modules.js'
import { nativeLoops } from './programs/native-loops.js'
import { pollution } from './programs/pollution.js'
import { promises } from './programs/promises.js'
import { quotas } from './programs/quotas.js'
import { recursion } from './programs/recursion.js'
import { state } from './programs/state.js'
import { values } from './programs/values.js'

/** Every hostile program; what they try is in the names of the files. */
export const corpus: readonly HostileProgram[] = [
  ...loops,
  ...nativeLoops,
  ...memoryBombs,
  ...recursion,
  ...promises,
  ...values,
  ...errors,
  ...pollution,
  ...hostReach,
  ...hostWrites,
  ...state,
  ...quotas,
  ...modules,
]
