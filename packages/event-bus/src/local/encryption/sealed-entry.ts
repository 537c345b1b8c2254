import { EventBusError } from '../../errors.js'
import type { LogDeliveryState } from '../../log/log-engine.js'
import type { DeadLetterState } from '../../store/backend/delivery-state.js'
import type { DataCipher } from './data-cipher.js'

type Entry = LogDeliveryState | DeadLetterState
type SealedEntry = Omit<Entry, 'record' | 'error'> & { sealed?: string }

/** The entry as it lies in the file: what handlers said of the event, results, logs and errors, is encrypted. */
export function sealPrivate(
  entry: Entry,
  table: string,
  key: unknown,
  cipher: DataCipher,
): Entry | SealedEntry {
  const { record, error, ...open } = entry
  if (record === undefined && error === undefined) return entry
  const sealed = cipher.seal(JSON.stringify({ record, error }), placeOf(table, key))
  return { ...open, sealed: sealed.toString('base64') }
}

/** @throws EventBusError `STORE_CORRUPT` when the encrypted part was changed */
export function openPrivate(
  entry: Entry | SealedEntry,
  table: string,
  key: unknown,
  cipher: DataCipher | undefined,
  path: string,
): Entry {
  if (!('sealed' in entry) || entry.sealed === undefined) return entry as Entry
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
