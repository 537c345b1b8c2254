import { command } from '../../command-line/command.js'
import { serverOptions } from '../server-options.js'

export const optimizations = command({
  usages: [
    ['', 'show what the server could do better, and the figures that say so'],
    ['apply <id>', 'change the setting of one'],
    ['undo <id>', 'change it back'],
  ],
  operands: {
    expected: 'optimizations: expected nothing, apply <id> or undo <id>',
    max: 2,
    words: ['apply', 'undo'],
  },
  options: serverOptions,
})
