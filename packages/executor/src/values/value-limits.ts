/** How deep a value may nest when it crosses between guest and host; the same limit as the server's for a body. */
export const MAX_NESTING = 256

/**
 * What building one value, or all that one call leaves, may cost the host's thread, in steps: a step is about what a
 * number in an array costs, 60 to 90 ns (`bench/engine-stall.mjs`).
 */
export const MAX_STEPS = 250_000

/** What one thing in a text costs the thread that builds values from it, in steps. */
export const STEPS = {
  /** A number, a text, a boolean or null. */
  value: 1,
  /** An array or an object. */
  container: 2,
  /** A property name that came before, and one that is new: the engine makes a shape for it. */
  name: 1,
  newName: 10,
  /** What a name costs more in an object of many. */
  crowdedName: 6,
  /** What stands once in the list of nodes of the value codec, and a reference to it. */
  node: 20,
  slot: 1,
} as const
