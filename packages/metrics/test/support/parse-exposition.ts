/** One line of a scrape. */
export interface Sample {
  name: string
  labels: Record<string, string>
  value: number
  exemplar?: { labels: Record<string, string>; value: number; timestamp: number }
}

/** What a scrape says: samples, and the type of each family. */
export interface Exposition {
  samples: Sample[]
  types: Map<string, string>
}

const NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"/y
const NUMBER = /[-+]?(?:\d+(?:\.\d+)?(?:e[-+]?\d+)?|Inf)|NaN/y

/**
 * A strict reader of both formats, written from their specifications and independently of the writer.
 *
 * @throws on anything that the grammar does not allow, with the line
 */
export function parseExposition(text: string): Exposition {
  if (text !== '' && !text.endsWith('\n')) throw new Error('does not end in a newline')
  const samples: Sample[] = []
  const types = new Map<string, string>()
  for (const line of text.split('\n').slice(0, -1)) {
    if (line === '# EOF') continue
    const type = /^# TYPE (\S+) (counter|gauge|histogram|summary)$/.exec(line)
    if (type) {
      if (types.has(type[1]!)) throw new Error(`two types for ${type[1]}`)
      types.set(type[1]!, type[2]!)
    } else if (!/^# HELP \S+ [^\n]+$/.test(line)) samples.push(parseSample(line))
  }
  return { samples, types }
}

function parseSample(line: string): Sample {
  let at = 0
  const take = (pattern: RegExp): RegExpExecArray => {
    pattern.lastIndex = at
    const match = pattern.exec(line)
    if (!match) throw new Error(`expected ${pattern} at ${at} of ${JSON.stringify(line)}`)
    at = pattern.lastIndex
    return match
  }
  const takeLabels = () => {
    const labels: Record<string, string> = Object.create(null)
    take(/\{/y)
    while (line[at] !== '}') {
      const [, name, value] = take(LABEL)
      if (name! in labels) throw new Error(`label ${name} twice in ${line}`)
      labels[name!] = value!.replace(/\\(.)/g, (_, escaped) => (escaped === 'n' ? '\n' : escaped))
      if (line[at] === ',') at++
    }
    take(/\}/y)
    return labels
  }
  const takeNumber = () => Number(take(NUMBER)[0].replace('Inf', 'Infinity'))
  const [name] = take(NAME)
  const labels = line[at] === '{' ? takeLabels() : Object.create(null)
  take(/ /y)
  const sample: Sample = { name, labels, value: takeNumber() }
  if (at < line.length) {
    take(/ # /y)
    const exemplarLabels = takeLabels()
    take(/ /y)
    const value = takeNumber()
    take(/ /y)
    sample.exemplar = { labels: exemplarLabels, value, timestamp: takeNumber() }
  }
  if (at !== line.length) throw new Error(`text after the sample: ${JSON.stringify(line)}`)
  return sample
}
