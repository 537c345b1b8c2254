/** The built worker. This file stands one level below the package, as `dist/index.js` does, so that the path holds for both. */
export const WORKER_URL = new URL('../dist/worker.js', import.meta.url)
