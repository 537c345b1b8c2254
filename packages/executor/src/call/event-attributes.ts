/** An event has its data once, as `data`; `data_base64` is another form of the same. */
const DATA_FIELDS = ['data', 'data_base64']

/** Whether a JSON text can be the attributes of an event: an object that does not bring data of its own. */
export function areAttributes(json: string): boolean {
  if (!json.startsWith('{')) return false
  // Almost no attributes have such a name: the text is only parsed when it may.
  if (!json.includes('data') && !json.includes('\\')) return true
  try {
    const attributes = JSON.parse(json) as object
    return !DATA_FIELDS.some((name) => Object.hasOwn(attributes, name))
  } catch {
    return false
  }
}
