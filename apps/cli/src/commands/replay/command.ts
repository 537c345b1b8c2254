import { command } from '../../command-line/command.js'
import { text } from '../../command-line/option.js'
import { serverOptions } from '../server-options.js'

export const replay = command({
  usages: [['<id>', 'have every function run a stored event once more']],
  operands: { expected: 'replay: expected the id of an event', min: 1, max: 1 },
  options: {
    source: text('<uri>', 'where events of several sources have the id: which one'),
    ...serverOptions,
  },
})
