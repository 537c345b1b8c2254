import { Ajv } from 'ajv'

const ajv = new Ajv({ allErrors: true })
const validate = ajv.compile({
  type: 'object',
  properties: {
    n: { type: 'integer', minimum: 1 },
    list: { type: 'array', items: { type: 'string', pattern: '^[a-z]+$' }, uniqueItems: true },
  },
  required: ['n'],
  additionalProperties: false,
})

export default (event: unknown[]) => event.map((value) => [validate(value), validate.errors])
