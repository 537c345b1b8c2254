import type { Claim } from '@nexus/event-bus'
import { envelopeOf, erasureOf, eventOf } from '../query/stored-event.js'

/** A claim with the work it stands for, and the token that the server wrote beside it. */
export interface RedisClaim extends Claim {
  work: string
  token: string
  /** Its handler was started: `attempt` was made. */
  isBegun: boolean
}

/** Fields of each claim in the answer of the script. */
const FIELDS = 5

/** The claims in an answer of the script `CLAIM`, without its first field. */
export function readClaims(answer: readonly string[], token: string): RedisClaim[] {
  const claims: RedisClaim[] = []
  for (let i = 0; i < answer.length; i += FIELDS) {
    const [work, attempts, publishedAtMs, json, erasure] = answer.slice(i, i + FIELDS) as [
      string,
      string,
      string,
      string,
      string,
    ]
    const [sequence, replay] = work.split(':')
    claims.push({
      event: eventOf(json),
      eventJson: json,
      sequence: Number(sequence),
      publishedAt: new Date(Number(publishedAtMs)).toISOString(),
      ...erasureOf(erasure),
      attempt: Number(attempts) + 1,
      replay: Number(replay),
      work,
      token,
      isBegun: false,
    })
  }
  return claims
}

/** The event was erased after it was claimed: its handler gets the envelope. */
export function eraseClaim(claim: RedisClaim, erasure: string): void {
  const event = envelopeOf(claim.event)
  Object.assign(claim, { event, eventJson: JSON.stringify(event) }, erasureOf(erasure))
}
