export { ClaimGuard } from './claim-guard.js'
export { guardClaims } from './guard-claims.js'
export type { GuardedConsumer } from './guard-message.js'
