import FormData from 'form-data'

/** A form with a file of a path, which no handler can read. */
export default async () => {
  const form = new FormData()
  form.append('file', { path: '/no/such/file', fd: 1, on() {}, pause() {}, pipe() {} })
  return await new Promise((resolve) => form.getLength((_, length) => resolve(length)))
}
