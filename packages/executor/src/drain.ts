/** Waits for `done`, but no longer than `timeoutMs`, which may be infinite. */
export async function drain(done: Promise<void>, timeoutMs: number): Promise<void> {
  if (timeoutMs === Number.POSITIVE_INFINITY) return done
  let timer: NodeJS.Timeout | undefined
  const expired = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs)
  })
  await Promise.race([done, expired])
  clearTimeout(timer)
}
