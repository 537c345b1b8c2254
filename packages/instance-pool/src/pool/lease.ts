/** An instance in use by one call: from `acquire` to `release`. */
export interface Lease<Instance> {
  /** The instance, until `release`. */
  readonly instance: Instance
  /** Unique in its pool: a late answer that carries an older number belongs to a finished call. */
  readonly generation: number
}
