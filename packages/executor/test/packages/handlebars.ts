import Handlebars from 'handlebars'

Handlebars.registerHelper('shout', (text: string) => text.toUpperCase())
const render = Handlebars.compile(
  '{{#each items}}{{@index}}: {{shout name}}{{#if (lookup this "paid")}} paid{{/if}} {{{html}}} {{html}}\n{{else}}none{{/each}}',
)

export default (event: object) => [render(event), render({ items: [] })]
