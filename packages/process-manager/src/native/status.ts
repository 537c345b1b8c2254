// What a reader of the status file needs and nothing else, so that a command can bundle it.

export { metricsOf, type ServiceMetrics } from '../service/service-metrics.js'
export { serviceNamePattern } from '../service/service-name.js'
export { defaultHome, nativePaths } from './paths.js'
export { readFreshStatus } from './status-file.js'
