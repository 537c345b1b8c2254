import { parse, stringify, v1, v4, v5, v7, validate, version } from 'uuid'

export default (event: string) => ({
  named: v5(event, v5.DNS),
  bytes: stringify(parse(v5(event, v5.URL))),
  valid: [v1(), v4(), v7()].map((id) => [validate(id), version(id)]),
  different: new Set([v4(), v4(), v7(), v7()]).size,
})
