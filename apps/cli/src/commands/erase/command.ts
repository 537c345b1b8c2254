import { command } from '../../command-line/command.js'
import { flag, text } from '../../command-line/option.js'
import { serverOptions } from '../server-options.js'

export const erase = command({
  usages: [['<id>', "erase an event's data, results and logs; its envelope stays"]],
  operands: { expected: 'erase: expected the id of an event', min: 1, max: 1 },
  options: {
    reason: text('<text>', 'why; kept with the envelope'),
    source: text('<uri>', 'where events of several sources have the id: which one'),
    yes: flag('erase without asking', 'y'),
    ...serverOptions,
  },
})
