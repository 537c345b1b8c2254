/// <reference lib="dom" />

/** How long the parts of loading this page took, in milliseconds. */
export interface NavigationTiming {
  /** Looking up the host name. */
  dnsMs: number
  /** Connecting. */
  connectMs: number
  /** From the request to the first byte of the answer. */
  responseMs: number
  /** From the first to the last byte of the answer. */
  downloadMs: number
  /** From the start to the parsed document with its deferred scripts run. */
  domReadyMs: number
  /** From the start to everything loaded; 0 until then. */
  loadMs: number
  /** Size of the answer with its headers, in bytes. */
  transferredBytes: number
}

/** Reads how the page was loaded; undefined where the browser does not say. */
export function readNavigationTiming(): NavigationTiming | undefined {
  const [entry] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[]
  if (!entry) return undefined
  return {
    dnsMs: entry.domainLookupEnd - entry.domainLookupStart,
    connectMs: entry.connectEnd - entry.connectStart,
    responseMs: entry.responseStart - entry.requestStart,
    downloadMs: entry.responseEnd - entry.responseStart,
    domReadyMs: entry.domContentLoadedEventEnd - entry.startTime,
    loadMs: Math.max(0, entry.loadEventEnd - entry.startTime),
    transferredBytes: entry.transferSize,
  }
}
