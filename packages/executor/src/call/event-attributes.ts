/** An event has its data once, as the second argument of `emit`. */
const DATA_NAMES = new Set(['data', 'data_base64'])
/** The publisher sets these, whatever a handler says. */
const OVERWRITTEN_NAMES = new Set(['specversion', 'id', 'source', 'type'])
const TEXT_NAMES = new Set(['subject', 'datacontenttype', 'dataschema'])
const EXTENSION_NAME = /^[a-z0-9]{1,64}$/
/** The longest key that each of the stores of events takes. */
const MAX_TYPE_BYTES = 512
/** Control characters, halves of surrogate pairs, and code points that are no characters. */
const UNWANTED = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u
const PATTERN = /^(?:(?:\*|[^.*>]*)(?:\.(?:\*|[^.*>]*))*(?:\.>)?|>)$/
const RFC3339 =
  /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:[Zz]|([+-])(\d\d):(\d\d))$/

/** Whether an event can have this type: text of 1 to 512 bytes, without the `*` and `>` of patterns. */
export function isEventType(type: string): boolean {
  if (type === '' || Buffer.byteLength(type) > MAX_TYPE_BYTES) return false
  return !/[*>]/.test(type) && isPlainText(type)
}

/** Whether a text is a pattern of event types: tokens between dots, `*` for one of them, a last `>` for the rest. */
export function isEventPattern(pattern: string): boolean {
  if (pattern === '' || Buffer.byteLength(pattern) > MAX_TYPE_BYTES) return false
  return PATTERN.test(pattern) && isPlainText(pattern)
}

/** Whether a JSON text can be the attributes of an event, as CloudEvents 1.0 has them; null is an attribute that is absent. */
export function areAttributes(json: string): boolean {
  let attributes: unknown
  try {
    attributes = JSON.parse(json)
  } catch {
    return false
  }
  if (typeof attributes !== 'object' || attributes === null || Array.isArray(attributes)) {
    return false
  }
  return Object.entries(attributes).every(([name, value]) => isAttribute(name, value))
}

function isAttribute(name: string, value: unknown): boolean {
  if (DATA_NAMES.has(name)) return false
  if (OVERWRITTEN_NAMES.has(name) || value === null) return true
  if (name === 'time') return typeof value === 'string' && isRfc3339(value)
  if (TEXT_NAMES.has(name)) return typeof value === 'string' && value !== '' && isPlainText(value)
  if (!EXTENSION_NAME.test(name)) return false
  if (typeof value === 'string') return isPlainText(value)
  return typeof value === 'boolean' || (typeof value === 'number' && (value | 0) === value)
}

function isPlainText(text: string): boolean {
  return !UNWANTED.test(text)
}

/** Whether a text is a time that exists; a leap second is the last one of a month. */
function isRfc3339(text: string): boolean {
  const parts = RFC3339.exec(text)
  if (parts === null) return false
  const [year, month, day, hour, minute, second, , hours, minutes] = parts.slice(1).map(Number)
  if (hour! > 23 || minute! > 59 || second! > 60 || hours! > 23 || minutes! > 59) return false
  const date = new Date(0)
  date.setUTCFullYear(year!, month! - 1, day)
  if (date.getUTCMonth() !== month! - 1 || date.getUTCDate() !== day) return false
  if (second! < 60) return true
  const offset = (parts[7] === '-' ? -1 : 1) * ((hours || 0) * 60 + (minutes || 0))
  date.setUTCHours(hour!, minute! - offset, second)
  return date.getUTCDate() === 1 && date.getUTCHours() === 0 && date.getUTCMinutes() === 0
}
