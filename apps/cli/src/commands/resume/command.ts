import { command } from '../../command-line/command.js'
import { text } from '../../command-line/option.js'
import { serverOptions } from '../server-options.js'

export const resume = command({
  usages: [['<id>', 'go on with a call that waits; nexus suspensions lists them']],
  operands: { expected: 'resume: expected the id of a suspension', min: 1, max: 1 },
  options: {
    value: text('<json>', 'what the function goes on with (default: undefined)'),
    error: text('<text>', 'what is thrown at the await, in place of a value'),
    ...serverOptions,
  },
})
