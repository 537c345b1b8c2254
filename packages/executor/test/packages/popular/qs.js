import qs from 'qs'
export default () => [
  qs.parse('a[b][c]=1&d[]=2&d[]=3&e=%C3%BC'),
  qs.stringify(
    { a: { b: [1, { c: new Date(0) }] }, n: null, u: undefined },
    { encodeValuesOnly: true },
  ),
  qs.stringify({ a: ['x', 'y'] }, { arrayFormat: 'brackets' }),
]
