import pug from 'pug'

const page = pug.compile('ul(class=kind)\n  each x in list\n    li: b= x\n  else\n    li none')
export default () => [
  page({ kind: 'a', list: ['<a>', 1] }),
  page({ list: [] }),
  pug.render('p #{n + 1} !{raw}', { n: 1, raw: '<i>' }),
]
