/** One command of a block. */
export interface ShellCommand {
  /** As it is written, on one line and without its comment. */
  text: string
  words: string[]
  /** What a `console` block shows below it. */
  output: string
}

/** The commands of a block: of one with prompts (`$ `) the lines behind these, else every line. */
export function commandsOf(block: string): ShellCommand[] {
  const hasPrompts = /^\$ /m.test(block)
  const commands: ShellCommand[] = []
  for (const line of block.replace(/\\\n\s*/g, '').split('\n')) {
    const typed = hasPrompts ? /^\$ (.*)$/.exec(line)?.[1] : line
    if (typed === undefined) commands.at(-1)!.output += `${line}\n`
    else if (wordsOf(typed).length > 0) {
      const words = wordsOf(typed)
      commands.push({ text: words.join(' '), words, output: '' })
    }
  }
  return commands
}

/** The words of a command line as a shell reads them, without variables before it and without a comment. */
export function wordsOf(line: string): string[] {
  const words: string[] = []
  for (const [, space, single, double, plain] of line.matchAll(
    /(\s+)|'([^']*)'|"([^"]*)"|([^\s'"]+)/g,
  )) {
    if (plain?.startsWith('#') && (words.length === 0 || words.at(-1) === '')) break
    if (space !== undefined) words.push('')
    else words.push((words.pop() ?? '') + (single ?? double ?? plain ?? ''))
  }
  const all = words.filter((word) => word !== '')
  const first = all.findIndex((word) => !/^[A-Z_]+=/.test(word))
  return first === -1 ? [] : all.slice(first)
}
