import { EventBusError } from '../../errors.js'
import type { LogDeliveryState, StateRecord } from '../../log/log-engine.js'
import type { DeadLetterState } from '../../store/backend/delivery-state.js'
import type { DataCipher } from './data-cipher.js'

/** An entry of a table that holds what handlers said. */
export type PrivateEntry = LogDeliveryState | DeadLetterState | StateRecord
type SealedEntry = Omit<PrivateEntry, 'record' | 'error'> & { sealed?: string }

/** The entry as it lies in the file: what handlers said of the event, results, logs and errors, is encrypted. */
export function sealPrivate(
  entry: PrivateEntry,
  table: string,
  key: unknown,
  cipher: DataCipher,
): PrivateEntry | SealedEntry {
  const { record, error, ...open } = entry as Partial<LogDeliveryState>
  if (record === undefined && error === undefined) return entry
  const sealed = cipher.seal(JSON.stringify({ record, error }), placeOf(table, key))
  return { ...open, sealed: sealed.toString('base64') } as SealedEntry
}

/** @throws EventBusError `STORE_CORRUPT` when the encrypted part was changed */
export function openPrivate(
  entry: PrivateEntry | SealedEntry,
  table: string,
  key: unknown,
  cipher: DataCipher | undefined,
  path: string,
): PrivateEntry {
  if (!('sealed' in entry) || entry.sealed === undefined) return entry as PrivateEntry
  const { sealed, ...open } = entry
  const text = cipher?.open(Buffer.from(sealed, 'base64'), placeOf(table, key))
  if (text !== undefined) return { ...open, ...JSON.parse(text) }
  throw new EventBusError(
    'STORE_CORRUPT',
    `${placeOf(table, key)}: its encrypted bytes in ${path} were changed; close the bus and recover the intact events with recoverLocalStore`,
    { details: { path } },
  )
}

function placeOf(table: string, key: unknown): string {
  return `${table} ${JSON.stringify(key)}`
}
