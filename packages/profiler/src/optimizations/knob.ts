/** A setting of a component that can be changed while it runs. */
export interface Knob {
  /**
   * What it sets. The rules set `cache.maxBytes`, `handlers.maxBytes` and `pool.maxInstances`.
   */
  id: string
  /** Such as `bytes`. */
  unit: string
  /** The smallest value that it may be set to. */
  min: number
  /** The largest value that it may be set to. */
  max: number
  /** Returns the current value. */
  read(): number
  /** Sets the value. */
  write(value: number): void | Promise<void>
}

/** A change of a knob. */
export interface KnobChange {
  /** Id of the knob. */
  knob: string
  /** Unit of both values. */
  unit: string
  /** The value before. */
  from: number
  /** The value after. */
  to: number
}
