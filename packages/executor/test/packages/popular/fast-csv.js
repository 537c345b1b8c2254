import { parseString, writeToString } from 'fast-csv'
export default async () => {
  const rows = []
  await new Promise((resolve, reject) => {
    parseString('a,b\n1,"x, ""y"""\n2,\n', { headers: true })
      .on('data', (row) => rows.push(row))
      .on('end', resolve)
      .on('error', reject)
  })
  return [rows, await writeToString([{ a: 1, b: 'x "y"' }], { headers: true })]
}
