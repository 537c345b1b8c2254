import { QuantileSketch } from './quantile-sketch.js'

/** A sketch of the last `windowMs`, which moves on in `slices` steps. */
export class SlidingSketch {
  readonly #sliceMs: number
  readonly #slices: QuantileSketch[]
  /** Number of the slice being filled, counted from the epoch of the clock. */
  #current: number

  constructor(windowMs: number, slices: number, nowMs: number) {
    this.#sliceMs = windowMs / slices
    this.#slices = Array.from({ length: slices }, () => new QuantileSketch())
    this.#current = Math.floor(nowMs / this.#sliceMs)
  }

  /** The slice that values of this moment belong in. */
  at(nowMs: number): QuantileSketch {
    const slice = Math.floor(nowMs / this.#sliceMs)
    const passed = Math.min(slice - this.#current, this.#slices.length)
    for (let i = 0; i < passed; i++) this.#slices[(slice - i) % this.#slices.length]!.clear()
    // A clock that was set back goes on filling the newest slice.
    if (passed > 0) this.#current = slice
    return this.#slices[this.#current % this.#slices.length]!
  }

  /** Everything in the window that ends now. */
  total(nowMs: number): QuantileSketch {
    this.at(nowMs)
    const total = new QuantileSketch()
    for (const slice of this.#slices) total.merge(slice)
    return total
  }
}
