import { command } from '../../command-line/command.js'
import { count, flag } from '../../command-line/option.js'
import { serverOptions } from '../server-options.js'

export const metrics = command({
  usages: [['', 'show what the server has done since it started']],
  options: {
    watch: flag('show them again and again, until Ctrl-C'),
    interval: count('<s>', 'with --watch: seconds between two readings (default: 2)', {
      min: 1,
      max: 3600,
      fallback: 2,
    }),
    ...serverOptions,
  },
})
