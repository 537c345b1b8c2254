import { type } from 'arktype'
export default () => {
  const t = type({ n: 'number > 1', 'e?': 'string.email' })
  const bad = t({ n: 0, e: 'x' })
  return [t({ n: 2 }), bad instanceof type.errors && bad.summary]
}
