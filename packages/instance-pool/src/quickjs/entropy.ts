import { randomFillSync } from 'node:crypto'

/** Random bytes are drawn in bulk: one system call serves 512 reseedings. */
const entropy = new Uint32Array(1024)
let entropyAt = entropy.length

/** 32 random bits. */
export function nextEntropy(): number {
  if (entropyAt === entropy.length) {
    randomFillSync(entropy)
    entropyAt = 0
  }
  return entropy[entropyAt++]!
}
