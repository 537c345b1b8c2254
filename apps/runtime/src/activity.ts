import type { LogLine, RunError } from '@nexus/client'

/** A call of a function that ended. */
export interface RunActivity {
  kind: 'run'
  function: string
  event: { id: string; type: string }
  /** 1 for the first attempt. */
  attempt: number
  status: 'success' | 'error'
  durationMs: number
  logs: readonly LogLine[]
  error?: RunError
}

/** A change of the functions that took effect. */
export interface ReloadActivity {
  kind: 'reload'
  functions: readonly string[]
}

/** Something its operator should know; nothing stopped because of it. */
export interface ProblemActivity {
  kind: 'problem'
  message: string
}

/** What a running runtime has to tell, for a log. */
export type Activity = RunActivity | ReloadActivity | ProblemActivity

/** Receives what happens. */
export type ActivityListener = (activity: Activity) => void
