import { command } from '../../command-line/command.js'
import { count, text } from '../../command-line/option.js'
import { serverOptions } from '../server-options.js'

export const invoke = command({
  usages: [
    [
      '<function> [data]',
      'run a function with this JSON (or @file, or - for stdin) and print what it returns',
    ],
  ],
  operands: { expected: 'invoke: expected the name of a function', min: 1, max: 2 },
  options: {
    'timeout-ms': count('<ms>', 'how long to wait for it to end (default: 30000)', {
      min: 1,
      max: 3_600_000,
      fallback: 30_000,
    }),
    key: text('<key>', 'names the invocation: with the same key it does not run twice'),
    ...serverOptions,
  },
})
