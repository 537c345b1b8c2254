import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

// A page of LMDB 1.0, as lmdb 3.5 writes it, little endian: number (8 bytes), transaction (8), key size (2), flags (2),
// end of the offsets (2), start of the nodes (2), then the offsets of its nodes (2 each). Offsets count from the end
// of the header. A node has 8 bytes, then its
// key and its data.
const HEADER_BYTES = 24
const FLAGS_AT = 18
const LOWER_AT = 20
const UPPER_AT = 22
const BRANCH = 1
const LEAF = 2
const OVERFLOW = 4
const NODE_BYTES = 8
/** The node's data is in pages of its own, whose number it has. */
const IN_OVERFLOW = 1
/** The node's data describes a table, whose root is at this place in it. */
const IS_TABLE = 2
const ROOT_AT = 40
const NO_PAGE = 0xffffffffffffffffn

/** What the newest of a log's two first pages says. */
export interface LogMeta {
  pageSize: number
  /** First pages of the list of free pages and of the tables. */
  roots: bigint[]
  lastPage: number
  txn: number
}

/**
 * Follows the pages of every table, without the database: a damaged page can end a process that maps it. Sees pages that
 * are not where they belong or whose parts overlap; what entries say is not checked.
 *
 * @returns what is wrong with the first damaged page
 */
export function checkPages(path: string, meta: LogMeta): string | undefined {
  const file = openSync(path, 'r')
  try {
    const pages = Math.floor(fstatSync(file).size / meta.pageSize)
    const waiting = [...meta.roots]
    const seen = new Set<bigint>()
    while (waiting.length > 0) {
      const number = waiting.pop()!
      if (number === NO_PAGE) continue
      if (number >= pages || seen.has(number)) return `page ${number} is missing or used twice`
      seen.add(number)
      const page = Buffer.alloc(meta.pageSize)
      readSync(file, page, 0, meta.pageSize, Number(number) * meta.pageSize)
      const next = pagesBehind(page, number)
      if (next === undefined) return `page ${number} is damaged`
      for (const behind of next) waiting.push(behind)
    }
    return undefined
  } finally {
    closeSync(file)
  }
}

/** The pages that a page points to; undefined when it is not what it should be. */
function pagesBehind(page: Buffer, number: bigint): bigint[] | undefined {
  const flags = page.readUInt16LE(FLAGS_AT)
  if (page.readBigUInt64LE(0) !== number) return undefined
  if ((flags & OVERFLOW) !== 0) return []
  const isBranch = (flags & BRANCH) !== 0
  if (isBranch === ((flags & LEAF) !== 0)) return undefined
  const lower = HEADER_BYTES + page.readUInt16LE(LOWER_AT)
  const upper = HEADER_BYTES + page.readUInt16LE(UPPER_AT)
  if (lower > upper || upper > page.length) return undefined
  const found: bigint[] = []
  for (let at = HEADER_BYTES; at < lower; at += 2) {
    const node = HEADER_BYTES + page.readUInt16LE(at)
    if (node < upper || node + NODE_BYTES > page.length) return undefined
    const data = node + NODE_BYTES + page.readUInt16LE(node + 6)
    const size = page.readUInt32LE(node)
    const nodeFlags = page.readUInt16LE(node + 4)
    if (isBranch) found.push(BigInt(size) | (BigInt(nodeFlags) << 32n))
    else if ((nodeFlags & IN_OVERFLOW) !== 0) {
      if (data + 8 > page.length) return undefined
      found.push(page.readBigUInt64LE(data))
    } else {
      if (data + size > page.length) return undefined
      if ((nodeFlags & IS_TABLE) !== 0) found.push(page.readBigUInt64LE(data + ROOT_AT))
    }
  }
  return found
}
