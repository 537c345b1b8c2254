import { isDeepStrictEqual } from 'node:util'
import type { SubscribeOptions } from '@nexus/event-bus'
import { type CallOptions, callOptionsSchema } from '@nexus/executor'
import { deadLetterType } from '../failure/dead-letter-event.js'
import { failuresHeardBy } from '../failure/failure-functions.js'
import type { CompiledFunction, FunctionDefinition } from '../function-definition.js'
import { invocationType } from '../invoke/invoke-function.js'
import { subscriptionSchema } from '../options.js'
import type { BoundFunction } from '../run/function-call.js'
import { firingType } from '../schedule/schedule-events.js'
import type { CallStore } from '../suspension/call-store.js'
import { resumeType } from '../suspension/suspension-events.js'

/** How a function is subscribed to the bus. */
export interface SubscriptionSettings {
  /** What starts it: its events, its schedule, invocations, failures of other functions, and what its suspended calls wait for. */
  patterns: string[]
  /** The rest, its group left out. */
  options: Omit<SubscribeOptions, 'group'>
}

const subscribeKeys = Object.keys(subscriptionSchema.shape) as (keyof FunctionDefinition)[]
const limitKeys = Object.keys(callOptionsSchema.shape) as (keyof FunctionDefinition)[]

/** @param all the functions that run, this one among them */
export function subscriptionSettings(
  definition: FunctionDefinition,
  all: readonly FunctionDefinition[],
): SubscriptionSettings {
  const { name, events = [], schedule, http } = definition
  return {
    patterns: [
      ...[events].flat(),
      ...(schedule === undefined ? [] : [firingType(name)]),
      ...failuresHeardBy(name, all).map(deadLetterType),
      // What gets requests runs for no event.
      ...(http === undefined ? [invocationType(name), resumeType(name)] : []),
    ],
    options: pick(definition, subscribeKeys) as SubscriptionSettings['options'],
  }
}

/** Whether a function can take its new code without giving up its subscription. */
export function sameSettings(a: SubscriptionSettings, b: SubscriptionSettings): boolean {
  return isDeepStrictEqual(a, b)
}

/** What a delivery runs. */
export function boundFunction(definition: CompiledFunction, calls: CallStore): BoundFunction {
  return { definition, limits: pick(definition, limitKeys) as CallOptions, calls }
}

function pick(definition: FunctionDefinition, keys: readonly (keyof FunctionDefinition)[]): object {
  return Object.fromEntries(
    keys.flatMap((key) => (definition[key] === undefined ? [] : [[key, definition[key]]])),
  )
}
