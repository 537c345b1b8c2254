// Makes the slug of an article's title. AssemblyScript; see README.md for how to build it.

import { emit } from './nexus'

const MAX_EVENT = 64 * 1024

/** The text after `"name":` in JSON, with its escapes as they are. */
function textIn(json: string, name: string): string {
  const key = `"${name}":"`
  const start = json.indexOf(key)
  if (start < 0) return ''
  let end = start + key.length
  while (end < json.length && json.charAt(end) !== '"') end += json.charAt(end) === '\\' ? 2 : 1
  return json.substring(start + key.length, end)
}

function slugOf(title: string): string {
  let slug = ''
  for (let i = 0; i < title.length; i++) {
    const letter = title.charAt(i).toLowerCase()
    const isPlain = (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9')
    if (isPlain) slug += letter
    else if (slug.length > 0 && !slug.endsWith('-')) slug += '-'
  }
  return slug.endsWith('-') ? slug.substring(0, slug.length - 1) : slug
}

const buffer = new ArrayBuffer(MAX_EVENT)
const length = process.stdin.read(buffer)
const title = textIn(String.UTF8.decode(buffer.slice(0, length)), 'title')
if (title.length === 0) {
  process.stderr.write('ERROR the event has no title\n')
  process.exit(2)
}

const slug = slugOf(title)
process.stderr.write(`DEBUG ${title} becomes ${slug}\n`)
const result = String.UTF8.encode(`{"slug":"${slug}"}`)
const type = String.UTF8.encode('com.nexus.article.slugged')
if (emit(type, type.byteLength, result, result.byteLength, 0, 0) !== 0) process.exit(3)
process.stdout.write(result)
