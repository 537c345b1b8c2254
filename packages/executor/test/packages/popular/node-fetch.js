import fetch, { FormData, Headers, Response } from 'node-fetch'
export default async () => {
  const form = new FormData()
  form.set('a', '1')
  return [
    [...new Headers({ B: '1', a: '2' })],
    await new Response('{"x":1}').json(),
    form.get('a'),
    await fetch('data:text/plain,hello').then((response) => response.text()),
    await fetch('ftp://a.example/').catch((error) => error.message),
  ]
}
