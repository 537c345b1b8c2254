import { expect, it } from 'vitest'
import { featureMessages, yamlMessages } from '../../test/vectors/conformance-messages.js'
import { encodeEvent } from '../event/cloud-event.js'
import { formatBatched, formatBinary, formatStructured, parseCloudEvents } from './cloud-events.js'

const defaults = { source: '/s', now: 0, maxEventBytes: 100_000 }

it.each([...yamlMessages('1.0'), ...featureMessages()])(
  'reads "$name" of the conformance repository, and writes it in every mode',
  ({ headers, body, event }) => {
    const [read, ...more] = parseCloudEvents({ headers, body })
    expect(more).toEqual([])
    expect({ ...read }).toEqual(event)
    // As it is stored: with a time, where it had none.
    const stored = encodeEvent(read!, defaults).event
    expect(stored).toEqual({ time: '1970-01-01T00:00:00.000Z', ...event })
    for (const message of [formatStructured(stored), formatBatched([stored])]) {
      expect(parseCloudEvents(message)).toEqual([stored])
    }
    const [binary] = parseCloudEvents(formatBinary(stored))
    // A body is sent as UTF-8 whatever charset it came in, and JSON says that it is JSON.
    const { datacontenttype = 'application/json', ...attributes } = stored
    expect({ ...binary }).toEqual({
      ...attributes,
      datacontenttype: datacontenttype.replace('us-ascii', 'utf-8'),
    })
  },
)

it.each(yamlMessages('0.3'))('refuses "$name", which is of an older version', (message) => {
  expect(() => encodeEvent(parseCloudEvents(message)[0]!, defaults)).toThrow(/^specversion: /)
})
