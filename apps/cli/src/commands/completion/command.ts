import { command } from '../../command-line/command.js'
import { shells } from '../../command-line/completion.js'

export const completion = command({
  usages: [['<shell>', `print the completion script of ${shells.join(', ')}`]],
  operands: {
    expected: `completion: expected one of ${shells.join(', ')}`,
    min: 1,
    max: 1,
    words: shells,
  },
  options: {},
})
