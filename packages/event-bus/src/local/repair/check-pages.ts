import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
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
  /** Read no further page once this many bytes were read; the pages near the roots come first. @default no limit */
  maxBytes?: number | undefined
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

/**
 * Follows the pages of every table, level by level, without the database: a damaged page can end a process that maps it. Sees
 * pages that are not where they belong, are used twice, or whose parts, order, number or transaction are wrong.
 *
 * @returns what is wrong
 */
export function checkPages(
  path: string,
  meta: LogMeta,
  options: PageCheckOptions = {},
): string | undefined {
  const file = openSync(path, 'r')
  try {
    return new PageCheck(file, meta, options).run()
  } finally {
    closeSync(file)
  }
}

class PageCheck {
  readonly #file: number
  readonly #meta: LogMeta
  readonly #options: PageCheckOptions
  readonly #pages: number
  /** One byte a page: whether a table, the list of free pages or the log's beginning has it. */
  readonly #used: Uint8Array
  readonly #tables: Table[] = []
  readonly #visits: Visit[] = []
  #bytes = 0

  constructor(file: number, meta: LogMeta, options: PageCheckOptions) {
    this.#file = file
    this.#meta = meta
    this.#options = options
    this.#pages = Math.min(meta.lastPage + 1, Math.floor(fstatSync(file).size / meta.pageSize))
    this.#used = new Uint8Array(this.#pages)
    this.#used.fill(1, 0, META_PAGES)
  }

  run(): string | undefined {
    const problem =
      this.#addTable(FREE_LIST, this.#meta.free) ?? this.#addTable(TABLE_LIST, this.#meta.main)
    if (problem !== undefined) return problem
    const { maxBytes = Number.POSITIVE_INFINITY } = this.#options
    for (let at = 0; at < this.#visits.length; at++) {
      if (this.#bytes >= maxBytes) return undefined
      const found = this.#visit(this.#visits[at]!)
      if (found !== undefined) return found
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
    const page = this.#read(number, this.#meta.pageSize)
    const lastTransaction = this.#meta.transaction
    const nodes = readPage(page, { number, isBranch, lastTransaction })
    if (nodes === undefined) return `page ${number} is damaged`
    if (!inOrder(visit, nodes, isBranch))
      return `page ${number} is damaged: its keys are not in order`
    if (isBranch) {
      table.found.branchPages += 1
      return this.#visitBranch(visit, nodes)
    }
    table.found.leafPages += 1
    table.found.entries += nodes.length
    for (const node of nodes) {
      const problem = this.#visitEntry(table, node)
      if (problem !== undefined) return problem
    }
    return undefined
  }

  #visitBranch({ table, level, low, high }: Visit, nodes: readonly PageNode[]): string | undefined {
    for (const [i, { key, child }] of nodes.entries()) {
      const problem = this.#take(child!, 1)
      if (problem !== undefined) return problem
      const next = nodes[i + 1]?.key
      this.#visits.push({
        table,
        number: child!,
        level: level + 1,
        // Copies: the page itself need not stay in memory.
        low: i === 0 ? low : Buffer.from(key),
        high: next === undefined ? high : Buffer.from(next),
      })
    }
    return undefined
  }

  #visitEntry(table: Table, { key, data, overflow, tree }: PageNode): string | undefined {
    if (tree !== undefined) {
      if (table.name !== TABLE_LIST) return `${table.name}: an entry is damaged`
      // The name ends with a zero byte.
      return this.#addTable(key.toString('utf8').replace(/\0$/, ''), tree)
    }
    if (overflow !== undefined) {
      const problem = this.#visitOverflow(table, overflow)
      if (problem !== undefined) return problem
    }
    if (table.name === FREE_LIST) return this.#takeFree(data ?? this.#readOverflow(overflow!))
    if (table.name === TABLE_LIST) return undefined
    const wrong = this.#options.checkEntry?.(table.name, key, data ?? this.#readOverflow(overflow!))
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
    const header = this.#read(page, PAGE_HEADER_BYTES)
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
    return this.#read(page, PAGE_HEADER_BYTES + bytes).subarray(PAGE_HEADER_BYTES)
  }

  #read(page: number, bytes: number): Buffer {
    const buffer = Buffer.alloc(bytes)
    readSync(this.#file, buffer, 0, bytes, page * this.#meta.pageSize)
    this.#bytes += bytes
    return buffer
  }
}

/** Whether the keys of a page rise, within those that its parent says; the first one of a branch page is not used. */
function inOrder(
  { table, low, high }: Visit,
  nodes: readonly PageNode[],
  isBranch: boolean,
): boolean {
  const compare = table.name === FREE_LIST ? compareNumbers : Buffer.compare
  let before = low
  for (const { key } of isBranch ? nodes.slice(1) : nodes) {
    if (table.name === FREE_LIST && key.length !== 8) return false
    // The first key of a page may be the one that its parent has.
    if (before !== undefined && compare(before, key) > (before === low ? 0 : -1)) return false
    before = key
  }
  return high === undefined || before === undefined || before === low || compare(before, high) < 0
}

function compareNumbers(a: Buffer, b: Buffer): number {
  const difference = a.readBigUInt64LE(0) - b.readBigUInt64LE(0)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}
