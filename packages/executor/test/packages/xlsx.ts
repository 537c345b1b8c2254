import { read, utils, write } from 'xlsx'

/** A workbook is written, read again, and taken apart. */
export default (rows: Record<string, unknown>[]) => {
  const sheet = utils.json_to_sheet(rows)
  sheet.C2 = { t: 'n', f: 'SUM(B2:B3)', v: 3 }
  const book = utils.book_new()
  utils.book_append_sheet(book, sheet, 'Über')
  const bytes: Uint8Array = write(book, { type: 'buffer', bookType: 'xlsx' })
  const again = read(bytes, { type: 'buffer' })
  const first = again.Sheets[again.SheetNames[0]!]!
  const old = read(write(book, { type: 'array', bookType: 'biff8' }), { type: 'array' })
  return {
    names: again.SheetNames,
    rows: utils.sheet_to_json(first),
    csv: utils.sheet_to_csv(first),
    html: utils.sheet_to_html(first).length,
    formula: utils.sheet_to_formulae(first),
    range: first['!ref'],
    old: utils.sheet_to_json(old.Sheets[old.SheetNames[0]!]!),
    isZip: String.fromCharCode(...bytes.slice(0, 2)),
  }
}
