import type { CommandGroup } from '../command-line/command.js'
import { cache } from './cache/command.js'
import { completion } from './completion/command.js'
import { deadLetters } from './dead-letters/command.js'
import { erase } from './erase/command.js'
import { events } from './events/command.js'
import { functions } from './functions/command.js'
import { heapSnapshot } from './heap-snapshot/command.js'
import { invoke } from './invoke/command.js'
import { metrics } from './metrics/command.js'
import { optimizations } from './optimizations/command.js'
import { profile } from './profile/command.js'
import { publish } from './publish/command.js'
import { replay } from './replay/command.js'
import { resume } from './resume/command.js'
import { dev, start } from './serve/command.js'
import { service } from './service/command.js'
import { suspensions } from './suspensions/command.js'

/** Every command, as help lists them. What each does is loaded by `loaders.ts` when it is called. */
export const nexus = {
  prefix: 'nexus',
  title: 'Runs, inspects and replays event functions, and manages services.',
  usage: 'nexus <command> [options]',
  heading: 'Commands',
  summary: '',
  commands: {
    ...{ dev, start, functions, publish, invoke, events, replay, erase },
    ...{ 'dead-letters': deadLetters, suspensions, resume, metrics, cache, profile, optimizations },
    ...{ 'heap-snapshot': heapSnapshot, service, completion },
  },
  notes:
    "NEXUS_TOKEN holds the server's token where it has one. Exit codes: 0 done, 1 failed, 2 wrong usage.",
} satisfies CommandGroup
