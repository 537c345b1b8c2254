import {
  camelCase,
  chunk,
  cloneDeep,
  debounce,
  groupBy,
  isEqual,
  merge,
  orderBy,
  template,
} from 'lodash-es'

export default (event: { rows: { name: string; n: number }[] }) => ({
  grouped: groupBy(event.rows, 'name'),
  ordered: orderBy(event.rows, ['name', 'n'], ['asc', 'desc']),
  chunks: chunk(event.rows, 2),
  merged: merge({ a: { b: 1 } }, { a: { c: [1, 2] } }),
  same: isEqual(cloneDeep(event.rows), event.rows),
  camel: camelCase('über-große_Wörter'),
  text: template('hello <%= user %>!')({ user: 'fred' }),
  debounced: typeof debounce(() => 1, 10),
})
