import { command } from '../../command-line/command.js'
import { count, flag, text } from '../../command-line/option.js'
import { serverOptions } from '../server-options.js'

export const publish = command({
  usages: [['<type> [data]', 'publish an event with this JSON; @file and - (stdin) are read']],
  operands: { expected: 'publish: expected the type of the event', min: 1, max: 2 },
  options: {
    wait: flag('wait until every function has ended, and show what each did'),
    'timeout-ms': count('<ms>', 'with --wait: how long at most (default: 30000)', {
      min: 1,
      max: 3_600_000,
      fallback: 30_000,
    }),
    id: text('<id>', 'of the event: with the same id and source it is stored once'),
    source: text('<uri>', 'of the event (default: /nexus/client)'),
    subject: text('<text>', 'what the event is about within its source'),
    ...serverOptions,
  },
})
