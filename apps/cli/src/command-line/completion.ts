import { type Command, type CommandGroup, isGroup } from './command.js'
import type { Option } from './option.js'

/** The shells that a completion script exists for. */
export const shells = ['bash', 'zsh', 'fish'] as const

/** What a shell reads once: it asks `nexus completion words` for the words that fit. */
export const completionScripts: Readonly<Record<(typeof shells)[number], string>> = {
  bash: `_nexus() {
  local IFS=$'\\n'
  COMPREPLY=($(compgen -W "$("\${COMP_WORDS[0]}" completion words -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _nexus nexus
`,
  zsh: `#compdef nexus
_nexus() {
  local -a found
  found=("\${(@f)$("\${words[1]}" completion words -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "$found" ]]; then compadd -a found; else _files; fi
}
compdef _nexus nexus
`,
  fish: `complete -c nexus -a '(nexus completion words -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
`,
}

/** The words that may stand where the last of `words` is being typed. */
export function completionsOf(root: CommandGroup, words: readonly string[]): string[] {
  const typed = words.at(-1) ?? ''
  return candidates(root, words.slice(0, -1), typed).filter((word) => word.startsWith(typed))
}

function candidates(root: CommandGroup, before: readonly string[], typed: string): string[] {
  let entry: Command | CommandGroup = root
  let operands = 0
  let awaited: Option | undefined
  for (const word of before) {
    if (awaited) awaited = undefined
    else if (word === '--') return []
    else if (word.startsWith('-')) awaited = isGroup(entry) ? undefined : optionOf(entry, word)
    else if (!isGroup(entry)) operands++
    else if (Object.hasOwn(entry.commands, word)) entry = entry.commands[word]!
    else return []
  }
  if (awaited) return [...(awaited.words ?? [])]
  if (isGroup(entry)) return typed.startsWith('-') ? ['--help'] : Object.keys(entry.commands)
  if (typed.startsWith('-'))
    return [...Object.keys(entry.options).map((name) => `--${name}`), '--help']
  return operands === 0 ? [...(entry.operands?.words ?? [])] : []
}

/** The option that takes the next word as its value. */
function optionOf({ options }: Command, word: string): Option | undefined {
  const [, option] =
    Object.entries(options).find(
      ([name, { short }]) => word === `--${name}` || word === `-${short}`,
    ) ?? []
  return option?.value === undefined ? undefined : option
}
