import type { TableName } from '../../log/log-engine.js'

/** Names of the databases in a store's file. */
export const TABLES: readonly TableName[] = [
  'head',
  'events',
  'ids',
  'valueIndex',
  'counts',
  'groups',
  'deliveries',
  'due',
  'dead',
  'shared',
  'states',
]
