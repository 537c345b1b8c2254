import { Command } from 'commander'
export default () => {
  const program = new Command('tool')
    .exitOverride()
    .configureOutput({ writeErr: () => {}, writeOut: () => {} })
    .option('-a, --all <n>', 'how many', Number, 3)
    .argument('<file>')
  const parsed = program.parse(['-a', '5', 'x.txt'], { from: 'user' })
  const refused = (args) => {
    try {
      program.parse(args, { from: 'user' })
    } catch (error) {
      return [error.code, error.message]
    }
  }
  return [parsed.opts(), parsed.args, refused(['--none']), program.helpInformation()]
}
