import { command } from '../../command-line/command.js'
import { count, flag, text } from '../../command-line/option.js'
import { serverOptions } from '../server-options.js'

export const profile = command({
  usages: [['', 'profile the server while it serves: its own code and its functions']],
  options: {
    seconds: count('<n>', 'for how long, 1 to 240 (default: 10)', {
      min: 1,
      max: 240,
      fallback: 10,
    }),
    function: text('<name>', 'only this function'),
    heap: flag('what allocates memory, and not what takes time'),
    out: text(
      '<file>',
      'where to; .html is a flame graph, .cpuprofile (with --heap .heapprofile) for developer tools, .pb.gz for pprof, .json the whole report (default: an .html with the time)',
    ),
    ...serverOptions,
  },
})
