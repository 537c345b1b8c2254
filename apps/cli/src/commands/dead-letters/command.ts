import { command } from '../../command-line/command.js'
import { count, flag, text } from '../../command-line/option.js'
import { serverOptions } from '../server-options.js'

export const deadLetters = command({
  usages: [
    ['', 'list the events that functions gave up on; list is the same'],
    ['redrive', 'have the functions run them again; choose with --function, --id or --all'],
    ['purge', 'forget them, not the events; asks first, unless --yes'],
  ],
  operands: {
    expected: 'dead-letters: expected list, redrive or purge',
    max: 1,
    words: ['list', 'redrive', 'purge'],
  },
  options: {
    function: text('<name>', 'those of this function'),
    id: text('<id>', 'that of this event'),
    source: text('<uri>', 'with --id, where events of several sources have it: which one'),
    all: flag('with redrive and purge: every one'),
    yes: flag('with purge: do not ask'),
    limit: count('<number>', 'how many to list, 1 to 1000 (default: 20)', {
      min: 1,
      max: 1000,
      fallback: 20,
    }),
    ...serverOptions,
  },
})
