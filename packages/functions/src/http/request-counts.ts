import type { RunSetup } from '../run/function-call.js'

/** Requests that a function answers, and answered. */
export interface RequestCounts {
  running: number
  succeeded: number
  failed: number
}

/** Counts a request until its function has ended; one whose body does not come fails without a run of the function. */
export async function countRequest(
  counts: RequestCounts,
  setup: RunSetup,
  answer: (setup: RunSetup) => Promise<Response>,
): Promise<Response> {
  let hasEnded = false
  const end = (outcome: 'succeeded' | 'failed') => {
    hasEnded = true
    counts.running -= 1
    counts[outcome] += 1
  }
  counts.running += 1
  try {
    return await answer({
      ...setup,
      onAttempt: (attempt) => {
        end(attempt.status === 'success' ? 'succeeded' : 'failed')
        setup.onAttempt?.(attempt)
      },
    })
  } catch (error) {
    if (!hasEnded) end('failed')
    throw error
  }
}
