export { registerInPromClient } from './register-in-prom-client.js'
