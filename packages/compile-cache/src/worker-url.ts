/** The built worker. It lies in this folder and not deeper: the path holds from `src/` and from `dist/` alike. */
export const WORKER_URL = new URL('../dist/compile-worker.js', import.meta.url)
