import * as yup from 'yup'
export default async () => {
  const s = yup.object({
    n: yup.number().min(1).required(),
    m: yup.string().email(),
    d: yup.date(),
  })
  return [
    await s.validate({ n: '3', m: 'a@b.example', d: '2024-02-29' }),
    await s.validate({ n: 0, m: 'x' }, { abortEarly: false }).catch((e) => [e.name, e.errors]),
  ]
}
