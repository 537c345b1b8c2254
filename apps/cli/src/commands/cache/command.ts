import { command } from '../../command-line/command.js'
import { count } from '../../command-line/option.js'
import { serverOptions } from '../server-options.js'

export const cache = command({
  usages: [
    ['', 'show what the caches of compiled code hold and did; stats is the same'],
    ['clear', 'empty them, in memory and on disk; functions that run go on'],
    ['prune', 'remove from the disk what is over its limit'],
    ['warm', 'compile every function of the server into them'],
  ],
  operands: {
    expected: 'cache: expected stats, clear, prune or warm',
    max: 1,
    words: ['stats', 'clear', 'prune', 'warm'],
  },
  options: {
    'max-bytes': count('<n>', 'with prune: leave at most this much', {
      min: 0,
      max: Number.MAX_SAFE_INTEGER,
    }),
    'unused-for': count('<s>', 'with prune: remove what was not used for so many seconds', {
      min: 0,
      max: 10 * 366 * 86_400,
    }),
    ...serverOptions,
  },
})
