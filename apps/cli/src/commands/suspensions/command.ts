import { command } from '../../command-line/command.js'
import { count, text } from '../../command-line/option.js'
import { serverOptions } from '../server-options.js'

export const suspensions = command({
  usages: [
    ['', 'list the calls of functions that wait; list is the same'],
    ['<id>', 'show one of them'],
    ['cancel <id>', 'let its wait fail, so that the function cleans up'],
    ['export <id>', 'write its sealed image to a file'],
  ],
  operands: {
    expected: 'suspensions: expected list, an id, cancel <id> or export <id>',
    max: 2,
    words: ['list', 'cancel', 'export'],
  },
  options: {
    function: text('<name>', 'those of this function'),
    name: text('<text>', 'those that wait for something of this name'),
    out: text('<file>', 'with export: where to write (default: the id and .image)'),
    limit: count('<number>', 'how many to list, 1 to 1000 (default: 20)', {
      min: 1,
      max: 1000,
      fallback: 20,
    }),
    ...serverOptions,
  },
})
