import { marked } from 'marked'

export default (event: string) => [
  marked.parse(event),
  marked.lexer(event).map((token) => token.type),
]
