import { expect, it } from 'vitest'
import { negotiateFormat } from './negotiate-format.js'

it.each([
  [undefined, 'text'],
  ['', 'text'],
  ['*/*', 'text'],
  ['text/plain;version=0.0.4', 'text'],
  ['application/openmetrics-text', 'openmetrics'],
  [
    'application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
    'openmetrics',
  ],
  ['application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.9', 'text'],
  ['application/openmetrics-text;version="1.0.0";q=0.5,text/plain;q=0.4', 'openmetrics'],
  ['application/openmetrics-text;version=2.0.0,text/plain;q=0.1', 'text'],
  ['application/openmetrics-text;q=0', 'text'],
  ['application/openmetrics-text;q=nonsense', 'text'],
  ['application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily', 'text'],
])('a scraper that accepts %j gets %s', (accept, format) => {
  expect(negotiateFormat(accept).format).toBe(format)
})

it('the content type carries the version', () => {
  expect(negotiateFormat('text/plain').contentType).toBe('text/plain; version=0.0.4; charset=utf-8')
  expect(negotiateFormat('application/openmetrics-text').contentType).toBe(
    'application/openmetrics-text; version=1.0.0; charset=utf-8',
  )
})
