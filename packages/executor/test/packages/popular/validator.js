import v from 'validator'
export default () => [
  v.isEmail('a@b.example'),
  v.isURL('http://x.example/?a'),
  v.isUUID('0b5dbdd5-8a3c-4b5e-9c52-6a9ad3ee3d16'),
  v.isMobilePhone('+4915112345678', 'de-DE'),
  v.normalizeEmail('A.B+c@gmail.com'),
  v.escape('<'),
  v.isISO8601('2024-02-30', { strict: true }),
  v.isIBAN('DE89370400440532013000'),
]
