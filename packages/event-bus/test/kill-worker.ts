import { localStore } from '@nexus/event-bus'
import { runKillWorker } from '@nexus/event-bus/conformance'

void runKillWorker(() => localStore({ path: process.env.KILL_STORE! }))
