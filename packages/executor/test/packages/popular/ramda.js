import * as R from 'ramda'
export default () => [
  R.pipe(R.map(R.add(1)), R.filter(R.gt(R.__, 2)))([1, 2, 3]),
  R.groupBy(R.prop('a'), [{ a: 'x' }, { a: 'y' }, { a: 'x' }]),
  R.equals(new Map([[1, new Date(0)]]), new Map([[1, new Date(0)]])),
  R.toString({ a: [1, new Date(0), /x/g] }),
  R.type(async () => {}),
  R.clone({ d: new Date(5) }),
]
