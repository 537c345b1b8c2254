import querystring from 'unenv/node/querystring'

const {
  decode,
  encode,
  escape: escapeText,
  parse,
  stringify,
  unescape: unescapeText,
  unescapeBuffer,
} = querystring as typeof querystring & { unescapeBuffer: unknown }

export {
  decode,
  encode,
  escapeText as escape,
  parse,
  stringify,
  unescapeBuffer,
  unescapeText as unescape,
}
export default querystring
