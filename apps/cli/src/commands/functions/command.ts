import { command } from '../../command-line/command.js'
import { text } from '../../command-line/option.js'
import { serverOptions } from '../server-options.js'

export const functions = command({
  usages: [
    ['', 'list the functions, what starts them and what they did; list is the same'],
    ['pause <name>', 'keep the events of a function waiting, on all runtimes of the bus'],
    ['resume <name>', 'let it take them'],
  ],
  operands: {
    expected: 'functions: expected list, pause <name> or resume <name>',
    max: 2,
    words: ['list', 'pause', 'resume'],
  },
  options: {
    reason: text('<text>', 'with pause: why, shown with the function'),
    ...serverOptions,
  },
})
