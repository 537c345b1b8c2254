import type { CommandGroup } from '../command-line/command.js'
import { completion } from './completion/command.js'
import { erase } from './erase/command.js'
import { events } from './events/command.js'
import { metrics } from './metrics/command.js'
import { optimizations } from './optimizations/command.js'
import { profile } from './profile/command.js'
import { replay } from './replay/command.js'
import { dev, start } from './serve/command.js'
import { service } from './service/command.js'

/** Every command, as help lists them. What each does is loaded by `loaders.ts` when it is called. */
export const nexus = {
  prefix: 'nexus',
  title: 'Runs, inspects and replays event functions, and manages services.',
  usage: 'nexus <command> [options]',
  heading: 'Commands',
  summary: '',
  commands: {
    ...{ dev, start, events, replay, erase, metrics, profile, optimizations },
    ...{ service, completion },
  },
  notes:
    "NEXUS_TOKEN holds the server's token where it has one. Exit codes: 0 done, 1 failed, 2 wrong usage.",
} satisfies CommandGroup
