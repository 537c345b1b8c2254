import { command } from '../../command-line/command.js'
import { text } from '../../command-line/option.js'
import { serverOptions } from '../server-options.js'

export const heapSnapshot = command({
  usages: [['', 'write everything that the server holds in memory to a file; it stops meanwhile']],
  options: {
    out: text('<file>', 'where to, a new .heapsnapshot (default: one with the time)'),
    ...serverOptions,
  },
})
