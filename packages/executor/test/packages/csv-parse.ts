import { parse } from 'csv-parse/sync'

export default (text: string) => [
  parse(text, { columns: true, skip_empty_lines: true }),
  parse(Buffer.from('a;b\n1;"2""3"\n'), { delimiter: ';', cast: true }),
  failure(() => parse('a,b\n1', { columns: true })),
]

function failure(run: () => unknown): unknown {
  try {
    return run()
  } catch (error) {
    const { code, message } = error as Error & { code: string }
    return [code, message]
  }
}
