import FormData from 'form-data'
export default async () => {
  const f = new FormData()
  f.setBoundary('BB')
  f.append('a', '1')
  f.append('file', Buffer.from('content'), { filename: 'x.txt', contentType: 'text/plain' })
  return [
    f.getHeaders(),
    f.getBuffer().toString(),
    f.getLengthSync(),
    await new Promise((ok, no) => f.getLength((e, l) => (e ? no(e) : ok(l)))),
  ]
}
