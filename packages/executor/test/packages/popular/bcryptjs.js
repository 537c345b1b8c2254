import bcrypt from 'bcryptjs'
export default async () => {
  const h = await bcrypt.hash('pw', 4)
  return [
    h.slice(0, 7),
    await bcrypt.compare('pw', h),
    bcrypt.compareSync('no', h),
    bcrypt.hashSync('pw', '$2b$04$abcdefghijklmnopqrstuu'),
  ]
}
