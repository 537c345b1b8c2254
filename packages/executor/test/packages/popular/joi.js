import Joi from 'joi'
export default () => {
  const s = Joi.object({
    n: Joi.number().min(1).required(),
    m: Joi.string().email(),
    u: Joi.string().uri(),
    d: Joi.date().iso(),
    b: Joi.binary(),
  })
  return [
    s.validate({ n: '3', m: 'a@b.com', u: 'http://x/', d: '2024-01-01' }),
    s.validate({ n: 0, m: 'x' }, { abortEarly: false }).error?.details,
    s.validate({ b: 'aGk=', n: 1 }).value?.b?.toString(),
  ]
}
