import { localStore } from '@nexus/event-bus'
import { runStoreWorker } from '@nexus/event-bus/conformance'

void runStoreWorker(() => localStore({ path: process.env.STORE_PATH! }))
