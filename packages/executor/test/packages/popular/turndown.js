import TurndownService from 'turndown'
export default () =>
  new TurndownService({ headingStyle: 'atx' }).turndown(
    '<h1>T</h1><p>a <b>b</b> <a href="http://x.example">l</a></p><ul><li>1</li><li>2</li></ul>',
  )
