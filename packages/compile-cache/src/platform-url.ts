/** The built modules of the platform. It lies in this folder and not deeper: the path holds from `src/` and from `dist/` alike. */
export const PLATFORM_URL = new URL('../dist/node/', import.meta.url)
