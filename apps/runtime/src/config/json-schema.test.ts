import { expect, it } from 'vitest'
import { configJsonSchema } from './json-schema.js'

it('the committed JSON Schema is the one of the code; after a change run this test with -u', async () => {
  const text = `${JSON.stringify(configJsonSchema(), null, 2)}\n`
  await expect(text).toMatchFileSnapshot('../../nexus.schema.generated.json')
})
