import { library } from '../../tools/tsup.js'
import manifest from './package.json' with { type: 'json' }

export default library({
  entry: ['src/main.ts'],
  format: ['cjs'],
  dts: false,
  splitting: false,
  sourcemap: false,
  noExternal: ['@nexus/client'],
  define: { NEXUS_VERSION: JSON.stringify(manifest.version) },
})
