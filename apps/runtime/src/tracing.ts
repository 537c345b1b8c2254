import type { Tracing } from '@nexus/functions/otel'

/** Loads tracing where `@opentelemetry/api` is installed; the SDK that is registered there decides what is recorded. */
export async function loadTracing(): Promise<Tracing | undefined> {
  try {
    const { createTracing } = await import('@nexus/functions/otel')
    return createTracing()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') return undefined
    throw error
  }
}
