// A file of LMDB 1.0, as lmdb 3.5 writes it, little endian. A page: number (8 bytes), transaction (8), key size (2), flags
// (2), end of the offsets (2), start of the nodes (2), then the offsets of its nodes (2 each). Offsets count from the end of
// the header. A node: size of its data (4), flags (2), size of its key (2), then key and data; in a branch page, the first
// six bytes are the number of the page below. Nodes fill the end of their page without gaps.
const FLAGS_AT = 18
const LOWER_AT = 20
const UPPER_AT = 22
const BRANCH = 1
const LEAF = 2
const OVERFLOW = 4
const NODE_BYTES = 8
/** The node's data is in pages of its own: it has their first number, their transaction and their count. */
const IN_OVERFLOW = 1
/** The node's data describes a table. */
const IS_TABLE = 2
const OVERFLOW_BYTES = 24
const TABLE_BYTES = 48
const NO_PAGE = 0xffffffffffffffffn

/** Bytes in front of what a page has. */
export const PAGE_HEADER_BYTES = 24

/** A tree of pages, which is a table. */
export interface PageTree {
  depth: number
  branchPages: number
  leafPages: number
  overflowPages: number
  entries: number
  /** First page; undefined for an empty tree. */
  root: number | undefined
}

/** A node of a page: where its parts are in the page. */
export interface PageNode {
  keyStart: number
  keyEnd: number
  /** The page below, in a branch page. */
  child?: number
  /** Where the data begins, which `dataBytes` are of; left out where the data has pages of its own. */
  dataStart?: number
  dataBytes?: number
  /** The pages that have the data. */
  overflow?: { page: number; pages: number; bytes: number }
  /** The table that the data describes. */
  tree?: PageTree
}

/** Reads how a table is described in a node or in a meta page. */
export function readTree(bytes: Buffer, at: number): PageTree {
  const root = bytes.readBigUInt64LE(at + 40)
  return {
    depth: bytes.readUInt16LE(at + 6),
    branchPages: Number(bytes.readBigUInt64LE(at + 8)),
    leafPages: Number(bytes.readBigUInt64LE(at + 16)),
    overflowPages: Number(bytes.readBigUInt64LE(at + 24)),
    entries: Number(bytes.readBigUInt64LE(at + 32)),
    root: root === NO_PAGE ? undefined : Number(root),
  }
}

/** The nodes of a branch or leaf page; undefined when it is not what it should be. */
export function readPage(
  page: Buffer,
  {
    number,
    isBranch,
    lastTransaction,
  }: { number: number; isBranch: boolean; lastTransaction: number },
): PageNode[] | undefined {
  if (!isHeaderOf(page, number, isBranch ? BRANCH : LEAF, lastTransaction)) return undefined
  const lower = PAGE_HEADER_BYTES + page.readUInt16LE(LOWER_AT)
  const upper = PAGE_HEADER_BYTES + page.readUInt16LE(UPPER_AT)
  if (lower > upper || upper > page.length || lower % 2 !== 0) return undefined
  const nodes: PageNode[] = []
  let bytes = 0
  for (let at = PAGE_HEADER_BYTES; at < lower; at += 2) {
    const start = PAGE_HEADER_BYTES + page.readUInt16LE(at)
    if (start < upper || start + NODE_BYTES > page.length) return undefined
    const keyBytes = page.readUInt16LE(start + 6)
    const flags = page.readUInt16LE(start + 4)
    const size = page.readUInt32LE(start)
    const keyStart = start + NODE_BYTES
    const keyEnd = keyStart + keyBytes
    if (keyEnd > page.length) return undefined
    if (isBranch) {
      nodes.push({ keyStart, keyEnd, child: size + flags * 2 ** 32 })
      bytes += evenSize(NODE_BYTES + keyBytes)
      continue
    }
    const node = readLeafNode(page, { keyStart, keyEnd, size, flags })
    if (node === undefined) return undefined
    nodes.push(node)
    const dataBytes = node.overflow === undefined ? size : OVERFLOW_BYTES
    bytes += evenSize(NODE_BYTES + keyBytes + dataBytes)
  }
  return bytes === page.length - upper ? nodes : undefined
}

/** Whether a page begins data that has pages of its own, this many. */
export function isOverflowPage(
  header: Buffer,
  { number, pages, lastTransaction }: { number: number; pages: number; lastTransaction: number },
): boolean {
  return (
    isHeaderOf(header, number, OVERFLOW, lastTransaction) && header.readUInt32LE(LOWER_AT) === pages
  )
}

/** How many pages data of this size takes. */
export function overflowPagesOf(bytes: number, pageSize: number): number {
  return Math.ceil((PAGE_HEADER_BYTES + bytes) / pageSize)
}

function readLeafNode(
  page: Buffer,
  {
    keyStart,
    keyEnd,
    size,
    flags,
  }: { keyStart: number; keyEnd: number; size: number; flags: number },
): PageNode | undefined {
  if (flags === IN_OVERFLOW) {
    if (keyEnd + OVERFLOW_BYTES > page.length) return undefined
    const first = Number(page.readBigUInt64LE(keyEnd))
    const pages = Number(page.readBigUInt64LE(keyEnd + 16))
    return { keyStart, keyEnd, overflow: { page: first, pages, bytes: size } }
  }
  if (keyEnd + size > page.length) return undefined
  if (flags === 0) return { keyStart, keyEnd, dataStart: keyEnd, dataBytes: size }
  if (flags !== IS_TABLE || size !== TABLE_BYTES) return undefined
  return { keyStart, keyEnd, tree: readTree(page, keyEnd) }
}

function isHeaderOf(page: Buffer, number: number, kind: number, lastTransaction: number): boolean {
  return (
    readNumber(page, 0) === number &&
    readNumber(page, 8) <= lastTransaction &&
    (page.readUInt16LE(FLAGS_AT) & (BRANCH | LEAF | OVERFLOW)) === kind
  )
}

/** Eight bytes as a number; one that a double cannot hold exactly is no number of a page. */
function readNumber(page: Buffer, at: number): number {
  return page.readUInt32LE(at) + page.readUInt32LE(at + 4) * 2 ** 32
}

function evenSize(bytes: number): number {
  return bytes + (bytes % 2)
}
