import { readFileSync } from 'node:fs'
import { parseAllDocuments } from 'yaml'

/** A message of the conformance repository, and the event that it carries. */
export interface ConformanceMessage {
  name: string
  mode: 'binary' | 'structured'
  headers: Record<string, string>
  body: Buffer
  event: Record<string, unknown>
}

interface YamlEvent {
  Mode?: string
  ContextAttributes: Record<string, string> & { Extensions?: Record<string, string> }
  TransportExtensions?: Record<string, string>
  Data?: string
}

const read = (name: string) =>
  readFileSync(new URL(`cloudevents-conformance/${name}`, import.meta.url), 'utf8')

/** The events of `yaml/` of this version of the specification, as messages. */
export function yamlMessages(version: '1.0' | '0.3'): ConformanceMessage[] {
  const files =
    version === '1.0' ? ['v1.yaml', 'v1_minimum.yaml'] : ['v03.yaml', 'v03_minimum.yaml']
  return files.flatMap((file) =>
    // Every scalar is a text, as the repository's own reader has it: `1.0` is a version, not a number.
    parseAllDocuments(read(file), { schema: 'failsafe' }).map((document, index) =>
      messageOf(`${file} ${index + 1}`, document.toJS() as YamlEvent),
    ),
  )
}

/** What `cloudevents invoke` sends for an event: every attribute is trimmed, the mode is binary unless it is named. */
function messageOf(name: string, { Mode, ...event }: YamlEvent): ConformanceMessage {
  const { Extensions = {}, ...given } = event.ContextAttributes
  const attributes = Object.fromEntries(
    Object.entries({ ...given, ...Extensions }).map(([key, value]) => [key, value.trim()]),
  )
  const { Data = '', TransportExtensions = {} } = event
  const type = attributes.datacontenttype
  const data = type === undefined || type.includes('json') ? JSON.parse(Data) : Data
  const expected = { ...attributes, data }
  if (Mode === 'structured') {
    return {
      ...{ name, mode: 'structured', event: expected },
      headers: {
        ...TransportExtensions,
        'content-type': 'application/cloudevents+json; charset=UTF-8',
      },
      body: Buffer.from(JSON.stringify(expected)),
    }
  }
  const { datacontenttype, ...inHeaders } = attributes
  return {
    ...{ name, mode: 'binary', event: expected },
    headers: {
      ...TransportExtensions,
      ...Object.fromEntries(Object.entries(inHeaders).map(([key, value]) => [`ce-${key}`, value])),
      ...(datacontenttype !== undefined && { 'content-type': datacontenttype }),
    },
    body: Buffer.from(Data),
  }
}

/** The examples of `features/http-protocol-binding.feature`: each scenario with each of its content types. */
export function featureMessages(): ConformanceMessage[] {
  const scenarios = read('http-protocol-binding.feature').split('Scenario Outline:').slice(1)
  return scenarios.flatMap((scenario) => {
    const [, table = ''] = scenario.split('Examples:')
    const contentTypes = cellsOf(table).slice(1)
    return contentTypes.map(([contentType = '']) => exampleOf(scenario, contentType))
  })
}

function exampleOf(scenario: string, contentType: string): ConformanceMessage {
  const [title = ''] = scenario.trim().split('\n')
  const [request = '', data = ''] = textsOf(scenario.replaceAll('<contentType>', contentType))
  const [head = '', body = ''] = request.split(/\n\n/)
  const headers = head
    .split('\n')
    .slice(1)
    .map((line) => line.split(/: (.*)/s).slice(0, 2))
    .map(([key = '', value = '']) => [key.toLowerCase(), value])
    // The length is that of an unindented body.
    .filter(([key]) => key !== 'content-length' && key !== 'host')
  const [, attributes = ''] = scenario.split('Then the attributes are:')
  const rows = cellsOf(attributes.split('And the data')[0]!).slice(1)
  return {
    name: title.replace('<contentType>', contentType),
    mode: title.startsWith('Binary') ? 'binary' : 'structured',
    headers: Object.fromEntries(headers),
    body: Buffer.from(body),
    event: {
      ...Object.fromEntries(
        rows.map(([key, value = '']) => [key, value.replace('<contentType>', contentType)]),
      ),
      data: JSON.parse(data),
    },
  }
}

/** The texts between triple quotes, without their indentation. */
function textsOf(scenario: string): string[] {
  return [...scenario.matchAll(/\n( *)"""\n([\s\S]*?)\n *"""/g)].map(([, indent = '', text = '']) =>
    text
      .split('\n')
      .map((line) => line.slice(indent.length))
      .join('\n'),
  )
}

/** The cells of a table of Gherkin, row by row. */
function cellsOf(table: string): string[][] {
  return table
    .split('\n')
    .filter((line) => line.trim().startsWith('|'))
    .map((line) =>
      line
        .trim()
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    )
}
