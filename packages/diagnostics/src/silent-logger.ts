import type { Logger } from './logger.js'

/** A logger that drops every entry: the default of every library. */
export const silentLogger: Logger = Object.freeze({ debug() {}, info() {}, warn() {}, error() {} })
