export { createMetricProducer } from './metric-producer.js'
