import type { Question } from '../call/call.js'
import type { FromThread } from './protocol.js'

/** A shorter text costs less to copy than a buffer to make. */
const MIN_LENGTH = 4096

/**
 * A question whose long text is bytes, which change hands without a copy. All messages of a thread arrive in one turn of the
 * host's loop: a text would be made there at once, wanted or not, and bytes become a text when the question has its turn.
 */
export function packQuestion(question: Question): Question {
  if (question.kind !== 'host-function') return question
  const { encodedArguments } = question
  if (typeof encodedArguments !== 'string' || encodedArguments.length < MIN_LENGTH) return question
  return { ...question, encodedArguments: new TextEncoder().encode(encodedArguments) }
}

/** The buffers of these messages that change hands. */
export function buffersOf(messages: readonly FromThread[]): ArrayBuffer[] {
  return messages.flatMap((message) => {
    if (message.kind !== 'asked' || message.question.kind !== 'host-function') return []
    const { encodedArguments } = message.question
    return typeof encodedArguments === 'string' ? [] : [encodedArguments.buffer as ArrayBuffer]
  })
}
