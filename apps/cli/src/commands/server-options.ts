import { flag, text } from '../command-line/option.js'

/** Prints JSON instead of text. */
export const json = flag('print JSON, for scripts')

/** Options of every command that asks a server; they may stand before the command too. */
export const serverOptions = {
  url: text('<url>', 'the server to ask (default: NEXUS_URL or http://localhost:8080)'),
  json,
}
