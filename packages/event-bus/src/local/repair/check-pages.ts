import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import {
  isOverflowPage,
  overflowPagesOf,
  PAGE_HEADER_BYTES,
  type PageNode,
  type PageTree,
  readPage,
} from './page-format.js'

/** What the newest of a log's two first pages says. */
export interface LogMeta {
  pageSize: number
  /** The list of free pages. */
  free: PageTree
  /** The list of tables. */
  main: PageTree
  lastPage: number
  transaction: number
}

/** What to check. */
export interface PageCheckOptions {
  /** Says what is wrong with the bytes of an entry; without it, what entries say is not checked. */
  checkEntry?: ((table: string, key: Buffer, data: Buffer) => string | undefined) | undefined
}

interface Table extends PageTree {
  name: string
  found: { branchPages: number; leafPages: number; overflowPages: number; entries: number }
}

/** A page that has to be looked at, and between which keys its own have to lie. */
interface Visit {
  table: Table
  number: number
  level: number
  low?: Buffer | undefined
  high?: Buffer | undefined
}

/** Pages of LMDB's two meta pages. */
const META_PAGES = 2
const FREE_LIST = 'free pages'
const TABLE_LIST = 'tables'
/** Longest time that the check holds the event loop. */
const SLICE_MS = 10

/**
 * Follows the pages of every table without the database: a damaged page can end a process that maps it. Sees pages that are
 * not where they belong, are used twice, or whose parts, order, number or transaction are wrong. The event loop turns meanwhile.
 *
 * @returns what is wrong
 */
export async function checkPages(
  path: string,
  meta: LogMeta,
  options: PageCheckOptions = {},
): Promise<string | undefined> {
  const file = openSync(path, 'r')
  try {
    return await new PageCheck(file, meta, options).run()
  } finally {
    closeSync(file)
  }
}

class PageCheck {
  readonly #file: number
  /** The page that is looked at: always the same memory. */
  readonly #page: Buffer
  readonly #meta: LogMeta
  readonly #options: PageCheckOptions
  readonly #pages: number
  /** One byte a page: whether a table, the list of free pages or the log's beginning has it. */
  readonly #used: Uint8Array
  readonly #tables: Table[] = []
  /** What is still to be looked at, the next one last. */
  readonly #visits: Visit[] = []

  constructor(file: number, meta: LogMeta, options: PageCheckOptions) {
    this.#file = file
    this.#page = Buffer.alloc(meta.pageSize)
    this.#meta = meta
    this.#options = options
    this.#pages = Math.min(meta.lastPage + 1, Math.floor(fstatSync(file).size / meta.pageSize))
    this.#used = new Uint8Array(this.#pages)
    this.#used.fill(1, 0, META_PAGES)
  }

  async run(): Promise<string | undefined> {
    const problem =
      this.#addTable(FREE_LIST, this.#meta.free) ?? this.#addTable(TABLE_LIST, this.#meta.main)
    if (problem !== undefined) return problem
    let sliceEndsMs = performance.now() + SLICE_MS
    for (let visit = this.#visits.pop(); visit !== undefined; visit = this.#visits.pop()) {
      const found = this.#visit(visit)
      if (found !== undefined) return found
      if (performance.now() < sliceEndsMs) continue
      await setImmediate()
      sliceEndsMs = performance.now() + SLICE_MS
    }
    for (const table of this.#tables) {
      for (const [what, count] of Object.entries(table.found)) {
        const expected = table[what as keyof Table['found']]
        if (count !== expected) {
          return `${table.name}: expected ${expected} for ${what}, got ${count}`
        }
      }
    }
    return undefined
  }

  #addTable(name: string, tree: PageTree): string | undefined {
    const found = { branchPages: 0, leafPages: 0, overflowPages: 0, entries: 0 }
    const table: Table = { ...tree, name, found }
    this.#tables.push(table)
    if (tree.root === undefined) return undefined
    this.#visits.push({ table, number: tree.root, level: 1 })
    return this.#take(tree.root, 1)
  }

  /** Notes that pages are used. */
  #take(first: number, count: number): string | undefined {
    // Damaged numbers can be so large that adding 1 changes nothing.
    if (first < 0 || first + count > this.#pages) return `page ${first} is missing`
    for (let page = first; page < first + count; page++) {
      if (this.#used[page] === 1) return `page ${page} is used twice`
      this.#used[page] = 1
    }
    return undefined
  }

  #visit(visit: Visit): string | undefined {
    const { table, number, level } = visit
    const isBranch = level < table.depth
    const page = this.#read(number, this.#page)
    const lastTransaction = this.#meta.transaction
    const nodes = readPage(page, { number, isBranch, lastTransaction })
    if (nodes === undefined) return `page ${number} is damaged`
    if (!inOrder(visit, page, nodes, isBranch))
      return `page ${number} is damaged: its keys are not in order`
    if (isBranch) {
      table.found.branchPages += 1
      return this.#visitBranch(visit, page, nodes)
    }
    table.found.leafPages += 1
    table.found.entries += nodes.length
    for (const node of nodes) {
      const problem = this.#visitEntry(table, page, node)
      if (problem !== undefined) return problem
    }
    return undefined
  }

  #visitBranch(
    { table, level, low, high }: Visit,
    page: Buffer,
    nodes: readonly PageNode[],
  ): string | undefined {
    // The page with the lowest keys is looked at first: pages of a log lie in the file much as their keys rise.
    for (let i = nodes.length - 1; i >= 0; i--) {
      const child = nodes[i]!.child!
      const problem = this.#take(child, 1)
      if (problem !== undefined) return problem
      this.#visits.push({
        table,
        number: child,
        level: level + 1,
        low: i === 0 ? low : keyOf(page, nodes[i]!),
        high: i === nodes.length - 1 ? high : keyOf(page, nodes[i + 1]!),
      })
    }
    return undefined
  }

  #visitEntry(table: Table, page: Buffer, node: PageNode): string | undefined {
    const { dataStart, dataBytes, overflow, tree } = node
    if (tree !== undefined) {
      if (table.name !== TABLE_LIST) return `${table.name}: an entry is damaged`
      // The name ends with a zero byte.
      return this.#addTable(keyOf(page, node).toString('utf8').replace(/\0$/, ''), tree)
    }
    if (overflow !== undefined) {
      const problem = this.#visitOverflow(table, overflow)
      if (problem !== undefined) return problem
    }
    const { checkEntry } = this.#options
    const data = (): Buffer =>
      overflow === undefined
        ? page.subarray(dataStart, dataStart! + dataBytes!)
        : this.#readOverflow(overflow)
    if (table.name === FREE_LIST) return this.#takeFree(data())
    if (table.name === TABLE_LIST || checkEntry === undefined) return undefined
    const wrong = checkEntry(table.name, keyOf(page, node), data())
    return wrong === undefined ? undefined : `${table.name}: ${wrong}`
  }

  #visitOverflow(
    table: Table,
    { page, pages, bytes }: NonNullable<PageNode['overflow']>,
  ): string | undefined {
    if (pages !== overflowPagesOf(bytes, this.#meta.pageSize)) return `page ${page} is damaged`
    const problem = this.#take(page, pages)
    if (problem !== undefined) return problem
    table.found.overflowPages += pages
    const header = this.#read(page, Buffer.alloc(PAGE_HEADER_BYTES))
    const lastTransaction = this.#meta.transaction
    return isOverflowPage(header, { number: page, pages, lastTransaction })
      ? undefined
      : `page ${page} is damaged`
  }

  /** Free pages: their count, then page numbers; a negative number is the length of the block that follows. */
  #takeFree(list: Buffer): string | undefined {
    const damaged = `${FREE_LIST}: an entry is damaged`
    if (list.length < 8 || list.length % 8 !== 0) return damaged
    const count = Number(list.readBigInt64LE(0))
    if (count < 0 || 8 + count * 8 > list.length) return damaged
    let length = 1
    for (let i = 1; i <= count; i++) {
      const entry = Number(list.readBigInt64LE(i * 8))
      if (entry < 0) {
        length = -entry
        continue
      }
      if (entry === 0) continue
      const problem = this.#take(entry, length)
      if (problem !== undefined) return `${FREE_LIST}: ${problem}`
      length = 1
    }
    return undefined
  }

  #readOverflow({ page, bytes }: NonNullable<PageNode['overflow']>): Buffer {
    return this.#read(page, Buffer.alloc(PAGE_HEADER_BYTES + bytes)).subarray(PAGE_HEADER_BYTES)
  }

  /** Fills memory with what the file has from the start of a page on. */
  #read(page: number, into: Buffer): Buffer {
    const read = readSync(this.#file, into, 0, into.length, page * this.#meta.pageSize)
    return into.fill(0, read)
  }
}

/** A copy: the page itself need not stay in memory. */
function keyOf(page: Buffer, { keyStart, keyEnd }: PageNode): Buffer {
  return Buffer.from(page.subarray(keyStart, keyEnd))
}

/** Whether the keys of a page rise, within those that its parent says; the first one of a branch page is not used. */
function inOrder(
  { table, low, high }: Visit,
  page: Buffer,
  nodes: readonly PageNode[],
  isBranch: boolean,
): boolean {
  const first = isBranch ? 1 : 0
  const last = nodes.length - 1
  const areNumbers = table.name === FREE_LIST
  if (areNumbers && !nodes.every((node, i) => i < first || node.keyEnd - node.keyStart === 8))
    return false
  const compare = areNumbers ? compareNumbers : compareBytes
  if (last < first) return true
  // The first key of a page may be the one that its parent has.
  if (low !== undefined && compare(low, 0, low.length, page, nodes[first]!) > 0) return false
  for (let i = first; i < last; i++) {
    const { keyStart, keyEnd } = nodes[i]!
    if (compare(page, keyStart, keyEnd, page, nodes[i + 1]!) >= 0) return false
  }
  return high === undefined || compare(high, 0, high.length, page, nodes[last]!) > 0
}

/** Compares a key with the one of a node: negative when it comes first. */
function compareBytes(
  key: Buffer,
  start: number,
  end: number,
  page: Buffer,
  node: PageNode,
): number {
  return key.compare(page, node.keyStart, node.keyEnd, start, end)
}

function compareNumbers(
  key: Buffer,
  start: number,
  _end: number,
  page: Buffer,
  { keyStart }: PageNode,
): number {
  const difference = key.readBigUInt64LE(start) - page.readBigUInt64LE(keyStart)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}
