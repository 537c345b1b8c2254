// The built workers. This file lies in this folder and not deeper: the paths hold from `src/` and from `dist/` alike.

/** Compiles sources. */
export const COMPILE_WORKER_URL = new URL('../dist/compile-worker.js', import.meta.url)

/** Builds bundles. */
export const BUILD_WORKER_URL = new URL('../dist/build-worker.js', import.meta.url)
