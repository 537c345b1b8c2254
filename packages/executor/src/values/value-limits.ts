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
  /** What a short text that is new costs more: V8 looks it up among all texts and keeps it there. */
  newText: 4,
  /** What a number costs more that has a fraction or an exponent. */
  fraction: 2,
  /** An array or an object. */
  container: 3,
  /** A property name that came before, after the same names. */
  name: 1,
  /** One that did not: V8 makes a shape for each order of names, until there are too many in one object. */
  newShape: 30,
  /** One that did not, in an object of many names, and each name that is an index: they are never part of a shape. */
  newName: 15,
  /** What a name costs more in an object of many. */
  crowdedName: 6,
  /** What stands once in the list of nodes of the value codec, and a reference to it. */
  node: 20,
  slot: 1,
} as const
