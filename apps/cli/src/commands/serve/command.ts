import { command } from '../../command-line/command.js'
import { count, text } from '../../command-line/option.js'
import { json } from '../server-options.js'

const options = {
  config: text('<file>', 'the configuration (default: nexus.yaml)'),
  host: text('<address>', 'the address to listen on (default: 127.0.0.1)'),
  port: count('<number>', 'the port to listen on (default: 8080)', { min: 0, max: 65_535 }),
  json,
}

export const dev = command({
  usages: [['', 'run the functions of a nexus.yaml; reload them when they change']],
  options,
})

export const start = command({
  usages: [['', 'run them without watching, for production']],
  options,
})
