import { customAlphabet, nanoid, urlAlphabet } from 'nanoid'
export default () => [
  nanoid().length,
  new Set(Array.from({ length: 50 }, () => nanoid())).size,
  customAlphabet('ab', 5)().replace(/[ab]/g, 'x'),
  urlAlphabet.length,
]
