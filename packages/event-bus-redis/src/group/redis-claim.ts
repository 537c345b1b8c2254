import type { Claim, CloudEvent } from '@nexus/event-bus'

/** A claim with the work it stands for, and the token that the server wrote beside it. */
export interface RedisClaim extends Claim {
  work: string
  token: string
}

/** Fields of each claim in the answer of the script. */
const FIELDS = 4

/** The claims in an answer of the script `CLAIM`, without its first field. */
export function readClaims(answer: readonly string[], token: string): RedisClaim[] {
  const claims: RedisClaim[] = []
  for (let i = 0; i < answer.length; i += FIELDS) {
    const [work, attempts, publishedAtMs, json] = answer.slice(i, i + FIELDS) as [
      string,
      string,
      string,
      string,
    ]
    const [sequence, replay] = work.split(':')
    claims.push({
      event: JSON.parse(json) as CloudEvent,
      sequence: Number(sequence),
      publishedAt: new Date(Number(publishedAtMs)).toISOString(),
      attempt: Number(attempts) + 1,
      replay: Number(replay),
      work,
      token,
    })
  }
  return claims
}
