export { describeThrown, type ThrownDescription } from './describe-thrown.js'
export { guardLogger } from './guard-logger.js'
export { isLogger, type Logger } from './logger.js'
export { silentLogger } from './silent-logger.js'
