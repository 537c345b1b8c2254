import type { Question, RawResult } from '../call/call.js'

/**
 * A megabyte takes about as long as a hundred thousand steps: it is copied into new memory three or four times, as bytes, as
 * text and as what is made of the text.
 */
const CHARACTERS_PER_STEP = 10

/** Steps of a turn that a question costs: parsing counts the values of a text, making and reading the text takes its length. */
export function costOfQuestion(question: Question): number {
  return question.steps + lengthOf(question) / CHARACTERS_PER_STEP
}

/** Steps of a turn that the end of a call costs. */
export function costOfResult({ steps, valueJson, events, logs }: RawResult): number {
  let length = valueJson.length
  for (const { type, dataJson, attributesJson } of events) {
    length += type.length + dataJson.length + attributesJson.length
  }
  for (const { message, fieldsJson = '' } of logs) length += message.length + fieldsJson.length
  return steps + length / CHARACTERS_PER_STEP
}

function lengthOf(question: Question): number {
  switch (question.kind) {
    case 'host-function':
      return question.encodedArguments.length
    case 'fetch':
      return question.request?.body?.length ?? 0
    case 'body-part':
      return question.bytes.length
    case 'body':
      return 0
  }
}
