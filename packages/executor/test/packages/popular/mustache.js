import M from 'mustache'
export default () =>
  M.render(
    '{{#l}}{{n}}-{{{h}}} {{/l}}{{^e}}none{{/e}}{{> p}}',
    { l: [{ n: '<', h: '<b>' }], e: [] },
    { p: 'part {{l.length}}' },
  )
