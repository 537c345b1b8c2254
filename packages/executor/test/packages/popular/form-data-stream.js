import FormData from 'form-data'
export default async () => {
  const f = new FormData()
  f.setBoundary('BB')
  f.append('a', '1')
  f.append('b', Buffer.from('xy'), 'n.bin')
  let t = ''
  f.on('data', (d) => {
    t += d
  })
  await new Promise((ok, no) => {
    f.on('end', ok)
    f.on('error', no)
    f.resume()
  })
  return t
}
