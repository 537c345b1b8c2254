import { Ajv, type ErrorObject } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { FunctionsError } from './errors.js'

/** Says what is wrong with the data of an event; undefined when it fits. */
export type DataCheck = (data: unknown) => string | undefined

/** Compiling takes milliseconds, and a reload keeps most schemas. */
const checks = new WeakMap<object, DataCheck>()

/**
 * Compiles a JSON Schema of the data of events.
 *
 * @throws FunctionsError `FUNCTION_INVALID` when it is no valid schema
 */
export function dataCheck(schema: Readonly<Record<string, unknown>>): DataCheck {
  const known = checks.get(schema)
  if (known) return known
  const check = compile(schema)
  checks.set(schema, check)
  return check
}

function compile(schema: Readonly<Record<string, unknown>>): DataCheck {
  const isDraft07 = String(schema.$schema).includes('draft-07')
  // Unknown keywords are mistakes. What style-checks of the schema find is not.
  const options = {
    strictTypes: false,
    strictTuples: false,
    strictRequired: false,
    logger: false,
  } as const
  const ajv = isDraft07 ? new Ajv(options) : new Ajv2020(options)
  formats.default(ajv)
  try {
    const validate = ajv.compile({ ...schema })
    return (data) => (validate(data) ? undefined : describe(validate.errors![0]!))
  } catch (cause) {
    throw new FunctionsError('FUNCTION_INVALID', `schema: ${(cause as Error).message}`, { cause })
  }
}

/** `data/items/0/price must be number` */
function describe({ instancePath, message, params }: ErrorObject): string {
  const { additionalProperty, allowedValues } = params as Record<string, unknown>
  const named =
    additionalProperty === undefined ? '' : `: ${JSON.stringify(additionalProperty).slice(0, 80)}`
  const allowed =
    allowedValues === undefined ? '' : `: ${JSON.stringify(allowedValues).slice(0, 200)}`
  return `data${instancePath.slice(0, 200)} ${message}${named}${allowed}`
}
