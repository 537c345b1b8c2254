/** How often a test kills what it tests, and where its random choices begin. */
export interface KillChoice {
  rounds: number
  seed: number
}

/** What `KILL_ROUNDS` and `KILL_SEED` choose; else `usualRounds`, and another seed each time. */
export function killChoice(usualRounds: number): KillChoice {
  const { KILL_ROUNDS, KILL_SEED } = process.env
  return {
    rounds: Number(KILL_ROUNDS ?? usualRounds),
    seed: Number(KILL_SEED ?? Date.now() % 1_000_000),
  }
}
