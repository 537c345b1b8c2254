import type { FunctionAttempt } from '@nexus/functions'

/** A call of a function that ended. */
export interface RunActivity extends Omit<FunctionAttempt, 'metrics'> {
  kind: 'run'
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

/** What a running runtime reports, for a log. */
export type Activity = RunActivity | ReloadActivity | ProblemActivity

/** Receives what happens. */
export type ActivityListener = (activity: Activity) => void
