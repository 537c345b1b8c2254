/** What libraries call `Buffer`. */
export { Buffer } from './buffer-class.js'
