/** What one engine may use. */
export interface EngineLimits {
  memoryLimitBytes: number
  maxStackBytes: number
}
