/** The handlers that every sandbox runs: the smallest there is, and an order of ten line items. */
export const trivial = 'export default (event) => event'

export const order = `export default function (event) {
  let total = 0
  const lines = []
  for (const item of event.data.items) {
    const amount = item.qty * item.price
    total += amount
    lines.push({ sku: item.sku, amount, label: item.name.toUpperCase() })
  }
  return { id: event.data.id, total, lines }
}`

export const orderEvent = {
  id: 'e1',
  type: 'com.nexus.order.placed',
  data: {
    id: 'o-1',
    items: Array.from({ length: 10 }, (_, i) => ({
      sku: `sku-${i}`,
      name: `Item number ${i}`,
      qty: i + 1,
      price: 9.95 + i,
    })),
  },
}
