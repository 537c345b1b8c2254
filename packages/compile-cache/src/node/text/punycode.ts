import punycode from 'punycode/punycode.es6.js'

export const { decode, encode, toASCII, toUnicode, ucs2, version } = punycode
export default punycode
