/** Data of `com.nexus.order.created`. */
export interface Order {
  id: string
  customer: string
  items: { sku: string; quantity: number; price: number }[]
}

/** Data of `com.nexus.order.totalled`. */
export interface OrderTotalled {
  id: string
  customer: string
  total: number
}
