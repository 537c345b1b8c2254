import { completionScripts, shells } from '../../command-line/completion.js'
import { runs } from '../../command-line/parse.js'
import { UsageError } from '../../command-line/usage-error.js'
import { printNow } from '../../terminal/print-now.js'
import { completion } from './command.js'

/** `nexus completion <shell>` */
export const runCompletion = runs(completion, ({ operands: [name] }) => {
  const shell = shells.find((known) => known === name)
  if (!shell)
    throw new UsageError(`completion: expected one of ${shells.join(', ')}, got "${name}"`)
  printNow(completionScripts[shell])
})
