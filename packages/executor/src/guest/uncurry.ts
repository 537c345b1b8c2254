/** Makes a function of a method: `this` is its first argument. A guest may replace `call` and `bind`. */
export type Uncurry = <This, Args extends unknown[], Result>(
  method: (this: This, ...args: Args) => Result,
) => (self: This, ...args: Args) => Result
