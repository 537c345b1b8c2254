/**
 * What a guest can hand over that costs the host's thread most, by kind of message and by bytes: each makes `value` of about
 * so many bytes of text. Kinds of message are in `DOORS`.
 */
export const SHAPES = {
  numbers: (bytes) => `const value = new Array(${Math.floor(bytes / 2)}).fill(1)`,
  'empty arrays': (bytes) =>
    `const value = Array.from({ length: ${Math.floor(bytes / 3)} }, () => [])`,
  'arrays in arrays': (bytes) =>
    `const value = Array.from({ length: ${Math.floor(bytes / 5)} }, () => [[]])`,
  'empty objects': (bytes) =>
    `const value = Array.from({ length: ${Math.floor(bytes / 3)} }, () => ({}))`,
  'new names': (bytes) =>
    `const value = {}; for (let i = 0; i < ${Math.floor(bytes / 10)}; i++) value['k' + i.toString(36)] = 0`,
  'new shapes': (bytes) =>
    `const value = Array.from({ length: ${Math.floor(bytes / 12)} }, (_, i) => ({ ['k' + i.toString(36)]: 0 }))`,
  // Each walks through its names in another order, so that V8 makes a shape for nearly every name.
  'new orders': (bytes) =>
    `let seed = 1; const next = (n) => (seed = (seed * 48271) % 2147483647) % n
    const value = Array.from({ length: ${Math.floor(bytes / 280)} }, () => { const one = {}; for (let i = 0; i < 40; i++) one['k' + next(90).toString(36)] = 1; return one })`,
  indexes: (bytes) =>
    `const value = Array.from({ length: ${Math.floor(bytes / 13)} }, () => ({ 4294967290: 1 }))`,
  fractions: (bytes) => `const value = new Array(${Math.floor(bytes / 4)}).fill(1.5)`,
  exponents: (bytes) => `const value = new Array(${Math.floor(bytes / 6)}).fill(1e300)`,
  'short texts': (bytes) =>
    `const value = Array.from({ length: ${Math.floor(bytes / 7)} }, (_, i) => i.toString(36))`,
  rows: (bytes) =>
    `const value = Array.from({ length: ${Math.floor(bytes / 60)} }, (_, i) => ({ id: i, name: 'name ' + i, price: 1.5, tags: [] }))`,
  text: (bytes) => `const value = 'x'.repeat(${bytes - 100})`,
  escapes: (bytes) => `const value = '\\u0001'.repeat(${Math.floor(bytes / 6) - 100})`,
  deep: (bytes) =>
    `let value = {}; for (let i = 0; i < ${Math.floor(bytes / 10)}; i++) value = { a: value }`,
  'one array, often': (bytes) =>
    `const one = []; const value = new Array(${Math.floor(bytes / 5)}).fill(one); value.push(undefined)`,
  nodes: (bytes) =>
    `const value = Array.from({ length: ${Math.floor(bytes / 16)} }, () => []); value.push(undefined)`,
  chain: (bytes) =>
    `let value = [undefined]; for (let i = 0; i < ${Math.floor(bytes / 16)}; i++) value = [value]`,
  'toJSON chain': (bytes) =>
    `let value = 1; for (let i = 0; i < ${Math.floor(bytes / 16)}; i++) { const v = value; value = { toJSON: () => v } }`,
  'toJSON chains, often': (bytes) => `let last = { toJSON: () => [undefined] }
    const value = []; for (let i = 0; i < ${Math.floor(bytes / 24)}; i++) { const v = last; last = { toJSON: () => v }; value.push(last) }`,
  BigInt: (bytes) => `const value = [1n << ${bytes * 3}n]`,
  'BigInt keys': (bytes) =>
    `const value = new Set(); for (let i = 1n; i < ${Math.floor(bytes / 30)}n; i++) value.add((i << 64n) | 5n)`,
  'number keys': (bytes) =>
    `const value = new Map(); for (let i = 0; i < ${Math.floor(bytes / 12)}; i++) value.set(i, 0)`,
  errors: (bytes) =>
    `const value = Array.from({ length: ${Math.floor(bytes / 40)} }, () => new Error('x'))`,
  bytes: (bytes) => `const value = new Uint8Array(${Math.floor((bytes / 4) * 3) - 200})`,
}

/** How `value` is handed over. */
export const DOORS = {
  result: { body: 'return value', shrink: 1 },
  emit: { body: "await ctx.emit('a.b', value)", shrink: 1 },
  'many emits': {
    body: "for (let i = 0; i < 16; i++) await ctx.emit('a.b', value).catch(() => {})",
    shrink: 16,
  },
  'result and emit': {
    body: "await ctx.emit('a.b', value).catch(() => {}); return value",
    shrink: 1,
  },
  log: { body: "ctx.log.info('x', value)", shrink: 16 },
  argument: { body: "await ctx.call('host', 'take', value)", shrink: 1 },
  'queued arguments': {
    body: "for (let i = 0; i < 100; i++) ctx.call('host', 'take', value).catch(() => {}); await ctx.call('host', 'take', 1)",
    shrink: 1,
  },
  echo: { body: "await ctx.call('host', 'echo', value)", shrink: 1 },
  throw: { body: "throw new Error('x', { cause: value })", shrink: 1 },
  fetch: {
    body: "await fetch('http://127.0.0.1:9/', { method: 'POST', body: value instanceof Uint8Array ? value : JSON.stringify(value) })",
    shrink: 1,
  },
}
