import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'

const ajv = new Ajv({ allErrors: true })
;(addFormats as unknown as (ajv: Ajv) => void)(ajv)
const validate = ajv.compile({
  type: 'object',
  properties: {
    mail: { format: 'email', type: 'string' },
    at: { format: 'date-time', type: 'string' },
    id: { format: 'uuid', type: 'string' },
    uri: { format: 'uri', type: 'string' },
  },
})

export default (events: object[]) =>
  events.map((event) => [validate(event), validate.errors?.map(({ message }) => message)])
