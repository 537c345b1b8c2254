/**
 * Why an instance was thrown away instead of reused.
 *
 * - `trap`: the engine aborted in the middle of a call
 * - `growth`: its memory grew past the image, so rewinding would leak
 * - `engine-error`: the engine failed in a way that no guest exception explains
 * - `recycled`: it reached `maxUses`
 * - `idle`: it was idle for `idleTimeoutMs`
 * - `evicted`: its place was needed by a use it cannot serve
 * - `shutdown`: the pool closed
 */
export type DiscardReason =
  | 'trap'
  | 'growth'
  | 'engine-error'
  | 'recycled'
  | 'idle'
  | 'evicted'
  | 'shutdown'

/**
 * How a pool makes, cleans and ends one kind of instance.
 *
 * `Use` says what an instance is wanted for: for a QuickJS sandbox the image of one handler.
 */
export interface InstanceKind<Instance, Use> {
  /** Makes an instance that is ready to be bound to `use`. */
  create(use: Use): Promise<Instance>
  /** Whether this idle instance can serve `use` at all, now or after {@link bind}. */
  accepts(instance: Instance, use: Use): boolean
  /**
   * Whether what this idle instance was used for does not come again, so that it is given to another use before a new
   * instance is made; without this, only instances that were never used are.
   */
  isFree?(instance: Instance): boolean
  /** Whether this idle instance serves `use` without any work. */
  isBoundTo(instance: Instance, use: Use): boolean
  /** Removes every trace of the former use and makes the instance ready for `use`. */
  bind(instance: Instance, use: Use): void
  /**
   * Makes the instance pristine after a call.
   *
   * @returns why the instance cannot be reused, or `undefined` when it can
   */
  reset(instance: Instance): DiscardReason | undefined
  /** The memory this instance holds, in bytes. */
  memoryBytes(instance: Instance): number
  /** Ends the instance and frees what it holds. */
  dispose(instance: Instance): void
}
