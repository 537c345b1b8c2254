import type { FunctionAttempt } from '@nexus/functions'

/** A call of a function that ended. */
export interface RunActivity extends Omit<FunctionAttempt, 'metrics'> {
  /** A call of a function. */
  kind: 'run'
}

/** A change of the functions that took effect. */
export interface ReloadActivity {
  /** New code of functions. */
  kind: 'reload'
  /** Names of the functions that run now. */
  functions: readonly string[]
}

/** Something its operator should know; nothing stopped because of it. */
export interface ProblemActivity {
  /** A problem. */
  kind: 'problem'
  /** What is wrong, and what to do. */
  message: string
}

/** What a running runtime reports, for a log. */
export type Activity = RunActivity | ReloadActivity | ProblemActivity

/** Receives what happens. */
export type ActivityListener = (activity: Activity) => void
