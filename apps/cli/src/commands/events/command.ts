import { command } from '../../command-line/command.js'
import { count, text } from '../../command-line/option.js'
import { serverOptions } from '../server-options.js'

export const events = command({
  usages: [
    ['', 'list the newest events'],
    ['<id>', 'show one event and what each function did with it'],
  ],
  operands: { max: 1 },
  options: {
    limit: count('<number>', 'how many to show, 1 to 1000 (default: 20)', {
      min: 1,
      max: 1000,
      fallback: 20,
    }),
    source: text('<uri>', 'with an id that events of several sources have: which one'),
    type: text('<pattern>', 'only these types; * is one token, a last > the rest'),
    ...serverOptions,
  },
})
