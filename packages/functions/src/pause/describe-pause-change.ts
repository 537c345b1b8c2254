import type { FunctionPauseChange } from './function-pause.js'

/** A sentence for people: that a function was paused or resumed, why, and what to do. */
export function describePauseChange({ function: name, paused }: FunctionPauseChange): string {
  if (paused === undefined) return `function ${name} is resumed`
  const why = paused.reason === undefined ? '' : `: ${paused.reason}`
  return `function ${name} is paused${why}; its events wait until it is resumed (nexus functions resume ${name})`
}
