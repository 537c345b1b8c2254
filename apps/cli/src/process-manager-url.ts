import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/**
 * What `import.meta.url` is to the parts of `@nexus/process-manager` that the build bundles: they look for the
 * package's programs, such as its daemon, beside it.
 */
export const processManagerUrl = pathToFileURL(
  join(require.resolve('@nexus/process-manager/package.json'), '../dist/bundled.js'),
).href
