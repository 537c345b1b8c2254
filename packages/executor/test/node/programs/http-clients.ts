// @ts-nocheck: packages without types
import axios from 'axios'
import { http as followed } from 'follow-redirects'
import get from 'simple-get'

const shown = ({ name, code, response }) => ({ name, code, status: response?.status })

/** Programs of packages that use `http` of Node; axios has a way of its own for those that have none. */
export default async ({ port, closedPort }) => {
  const base = `http://127.0.0.1:${port}`
  const client = axios.create({ baseURL: base, headers: { 'x-own': 'mine' } })
  const posted = await client.post('/echo?a=1', { n: 1 })
  const simple = (options) =>
    new Promise((resolve) => {
      get.concat(options, (error, response, data) =>
        resolve(error ? shown(error) : [response.statusCode, String(data)]),
      )
    })
  return {
    axiosPost: [posted.status, posted.data],
    axiosGet: (await client.get('/echo', { params: { q: 'a b' } })).data,
    axiosRedirect: (await client.get('/status?code=302')).data,
    axiosMissing: await client.get('/status?code=404').catch(shown),
    axiosPacked: (await client.get('/packed')).data,
    simple: await simple(`${base}/echo`),
    simpleRedirect: await simple({ url: `${base}/status?code=302` }),
    simplePost: await simple({ url: `${base}/echo`, body: { n: 1 }, json: true, method: 'PUT' }),
    simplePacked: await simple(`${base}/packed`),
    simpleRefused: await simple(`http://127.0.0.1:${closedPort}`),
    simpleTimeout: await simple({ url: `${base}/never`, timeout: 30 }),
    followed: await new Promise((resolve, reject) => {
      followed
        .get(`${base}/status?code=302`, (response) => {
          let text = ''
          response.on('data', (chunk) => {
            text += chunk
          })
          response.on('end', () => resolve([response.responseUrl === `${base}/echo`, text]))
        })
        .on('error', reject)
    }),
  }
}
