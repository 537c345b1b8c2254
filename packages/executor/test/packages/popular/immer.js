import { enableMapSet, enablePatches, produce, produceWithPatches } from 'immer'

enableMapSet()
enablePatches()
export default () => {
  const b = { a: [1], m: new Map([['x', { y: 1 }]]) }
  const [n, p] = produceWithPatches(b, (d) => {
    d.a.push(2)
    d.m.get('x').y = 5
  })
  return [
    n.a,
    [...n.m],
    p,
    b.a,
    Object.isFrozen(n),
    produce([3, 1], (d) => {
      d.sort()
    }),
  ]
}
