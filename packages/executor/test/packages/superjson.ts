import superjson from 'superjson'

export default () => {
  const value = {
    at: new Date(0),
    set: new Set([1, 'a']),
    map: new Map([['k', 1n]]),
    u: undefined,
    r: /x/gi,
    n: Number.NaN,
    e: new Error('x').message,
  }
  const text = superjson.stringify(value)
  const back = superjson.parse<typeof value>(text)
  return [
    text,
    back.at.getTime(),
    [...back.set],
    typeof back.map.get('k'),
    back.r.flags,
    String(back.n),
    'u' in back,
  ]
}
