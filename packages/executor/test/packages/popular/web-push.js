import webpush from 'web-push'
export default () => {
  const keys = webpush.generateVAPIDKeys()
  const subscription = {
    endpoint: 'https://push.example/x',
    keys: { p256dh: keys.publicKey, auth: Buffer.alloc(16, 1).toString('base64url') },
  }
  const vapidDetails = { subject: 'mailto:a@b.example', ...keys }
  const request = webpush.generateRequestDetails(subscription, 'hi', { vapidDetails, TTL: 5 })
  const { Authorization, ...headers } = request.headers
  return [
    keys.publicKey.length,
    request.method,
    headers,
    Authorization.split('.').length,
    request.body.length,
  ]
}
