export { type BodyData, bodyData, parseJsonBody } from './body-data.js'
export {
  cloudEventsMode,
  formatBatched,
  formatBinary,
  formatStructured,
  type HttpMode,
  parseCloudEvents,
} from './cloud-events.js'
export { type HttpMessage, header } from './http-message.js'
export { Webhook } from './webhooks/webhook.js'
export {
  type WebhookOptions,
  type WebhookScheme,
  webhookSchema,
} from './webhooks/webhook-options.js'
