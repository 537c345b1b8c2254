export const { AbortController, AbortSignal } = globalThis
