/**
 * Everything by which a page can make its browser send a request, against `target`. It runs in the browser: nothing of
 * this file's surroundings is there. Each request says in `from` which way it was sent.
 */
export async function attackFromPage(target: string): Promise<void> {
  const done: Promise<unknown>[] = []
  const quiet = (attempt: () => unknown) => {
    done.push(
      Promise.resolve()
        .then(attempt)
        .catch(() => {}),
    )
  }
  const at = (path: string, from: string) => `${target}${path}?from=${from}`
  const posts = [
    '/api/webhook',
    '/api/events',
    '/api/events/e-1/replay',
    '/api/profile',
    '/api/heap-snapshot',
    '/api/functions/f/invoke',
  ]
  const more = ['/api/performance', '/api/optimizations/o-1/apply', '/api/optimizations/o-1/undo']
  const gets = ['/api/events', '/api/events/e-1', '/api/metrics', '/metrics', '/api/optimizations']
  const event = JSON.stringify({ specversion: '1.0', id: 'x', source: '/evil', type: 'evil' })

  for (const path of [...posts, ...more]) {
    for (const mode of ['cors', 'no-cors', 'same-origin'] as const) {
      for (const method of path === '/api/events' ? ['POST', 'PUT', 'DELETE', 'PATCH'] : ['POST']) {
        for (const type of ['text/plain', 'application/json']) {
          const headers = { 'content-type': type, 'x-nexus-event-type': 'evil' }
          const from = `fetch-${mode}-${method}`
          quiet(() => fetch(at(path, from), { method, mode, headers, body: event }))
          const lasting = { method, mode, headers, body: event, keepalive: true }
          quiet(() => fetch(at(path, `keepalive-${mode}-${method}`), lasting))
        }
      }
    }
    const form = new FormData()
    form.set('type', 'evil')
    for (const body of [form, new URLSearchParams({ type: 'evil' }), event, new Blob([event])]) {
      quiet(() => fetch(at(path, 'simple'), { method: 'POST', mode: 'no-cors', body }))
      quiet(() => navigator.sendBeacon(at(path, 'beacon'), body))
    }
    quiet(() => {
      const request = new XMLHttpRequest()
      request.open('POST', at(path, 'xhr'))
      request.withCredentials = true
      request.send(event)
    })
    for (const enctype of [
      'application/x-www-form-urlencoded',
      'multipart/form-data',
      'text/plain',
    ]) {
      const frame = document.createElement('iframe')
      frame.name = `frame-${Math.random()}`
      document.body.append(frame)
      const element = document.createElement('form')
      Object.assign(element, {
        method: 'post',
        action: at(path, 'form'),
        enctype,
        target: frame.name,
      })
      const field = document.createElement('input')
      // As text/plain the body of this form is JSON.
      field.name = '{"specversion":"1.0","id":"x","source":"/","type":"evil","a'
      field.value = '":1}'
      element.append(field)
      document.body.append(element)
      element.submit()
    }
  }

  for (const path of gets) {
    for (const mode of ['cors', 'no-cors'] as const) {
      quiet(() => fetch(at(path, `get-${mode}`), { mode, credentials: 'include' }))
      quiet(() => fetch(at(path, `head-${mode}`), { mode, method: 'HEAD' }))
    }
    const load = (tag: string, attributes: Record<string, string>) => {
      const element = document.createElement(tag)
      for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
      document.body.append(element)
    }
    load('img', { src: at(path, 'img') })
    load('script', { src: at(path, 'script') })
    load('script', { src: at(path, 'module'), type: 'module' })
    load('iframe', { src: at(path, 'iframe') })
    load('object', { data: at(path, 'object') })
    load('embed', { src: at(path, 'embed') })
    load('video', { src: at(path, 'video') })
    load('link', { rel: 'stylesheet', href: at(path, 'stylesheet') })
    load('link', { rel: 'prefetch', href: at(path, 'prefetch') })
    load('link', { rel: 'preload', as: 'fetch', href: at(path, 'preload') })
    load('link', { rel: 'icon', href: at(path, 'icon') })
    const frame = document.createElement('iframe')
    frame.name = `ping-${path}`
    document.body.append(frame)
    load('a', { ping: at(path, 'ping'), href: at('/none', 'link'), target: frame.name })
    ;(document.body.lastElementChild as HTMLElement).click()
    quiet(() => new EventSource(at(path, 'eventsource'), { withCredentials: true }))
    quiet(() => new WebSocket(at(path, 'websocket').replace(/^http/, 'ws')))
  }
  await Promise.all(done)
}

/** Everything by which a worker can make its browser send a request. It runs in the worker: nothing of this file is there. */
export async function attackFromWorker(target: string): Promise<void> {
  const done: Promise<unknown>[] = []
  const quiet = (attempt: () => unknown) => {
    done.push(
      Promise.resolve()
        .then(attempt)
        .catch(() => {}),
    )
  }
  const at = (path: string, from: string) => `${target}${path}?from=${from}`
  const posts = [
    '/api/webhook',
    '/api/events',
    '/api/events/e-1/replay',
    '/api/profile',
    '/api/heap-snapshot',
    '/api/functions/f/invoke',
  ]
  const more = ['/api/performance', '/api/optimizations/o-1/apply', '/api/optimizations/o-1/undo']
  const gets = ['/api/events', '/api/events/e-1', '/api/metrics', '/metrics', '/api/optimizations']
  const body = JSON.stringify({ specversion: '1.0', id: 'x', source: '/evil', type: 'evil' })
  for (const path of [...posts, ...more]) {
    for (const mode of ['cors', 'no-cors'] as const) {
      for (const keepalive of [false, true]) {
        const headers = { 'content-type': 'text/plain' }
        const from = `${keepalive ? 'keepalive' : 'fetch'}-${mode}-POST`
        quiet(() => fetch(at(path, from), { method: 'POST', mode, headers, body, keepalive }))
      }
    }
  }
  for (const path of gets) {
    for (const mode of ['cors', 'no-cors'] as const) {
      quiet(() => fetch(at(path, `get-${mode}`), { mode, credentials: 'include' }))
    }
    quiet(() => new WebSocket(at(path, 'websocket').replace(/^http/, 'ws')))
  }
  await Promise.all(done)
}
