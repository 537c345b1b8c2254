import Stripe from 'stripe'
export default async () => {
  const stripe = new Stripe('sk_test_none')
  const payload = JSON.stringify({ id: 'evt_1', object: 'event', type: 'charge.paid' })
  const signed = { payload, secret: 'whsec', timestamp: 1_700_000_000 }
  const header = stripe.webhooks.generateTestHeaderString(signed)
  const event = stripe.webhooks.constructEvent(payload, header, 'whsec', 1e12)
  const later = await stripe.webhooks.constructEventAsync(payload, header, 'whsec', 1e12)
  const refused = () => {
    try {
      stripe.webhooks.constructEvent(payload, header, 'other', 1e12)
    } catch (error) {
      return error.type
    }
  }
  return [header, event.type, later.id, refused()]
}
