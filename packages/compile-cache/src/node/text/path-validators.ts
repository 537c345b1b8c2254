import { assertObject, assertString } from '../node-error.js'

/** What the library of paths checks its arguments with: its own checks give no codes. */
export { assertObject as validateObject, assertString as validateString }
