// This file stands one level below the package, as `dist/index.js` does, so that the paths hold for both.

/** The built worker that runs sandboxes. */
export const WORKER_URL = new URL('../dist/worker.js', import.meta.url)

/** The built worker that checks a WASI command. */
export const LAYOUT_WORKER_URL = new URL('../dist/layout-worker.js', import.meta.url)
