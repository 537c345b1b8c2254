/** A setting of a component that can be turned while it runs. */
export interface Knob {
  /**
   * What it sets. The rules turn `cache.maxBytes`, `handlers.maxBytes`, `pool.maxInstances` and
   * `batch.maxSize`.
   */
  id: string
  /** Such as `bytes`. */
  unit: string
  min: number
  max: number
  read(): number
  write(value: number): void | Promise<void>
}

/** A turn of a knob. */
export interface KnobChange {
  knob: string
  unit: string
  from: number
  to: number
}
