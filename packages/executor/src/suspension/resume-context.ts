import type { HandlerContext } from '../call/handler-context.js'

/** What a call that goes on is about, and what it may do from now on. */
export type ResumeContext = Omit<HandlerContext, 'event' | 'eventJson'>
