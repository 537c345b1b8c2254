import Decimal from 'decimal.js'
export default () => [
  new Decimal('0.1').plus('0.2').toString(),
  Decimal.sqrt(2).toFixed(30),
  new Decimal(2).pow(0.5).toDP(40).toString(),
  Decimal.random(5).lt(1),
  new Decimal('1e500').toJSON(),
]
