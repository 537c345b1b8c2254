import { library } from '../../tools/tsup.js'
import manifest from './package.json' with { type: 'json' }

export default library({
  entry: ['src/main.ts'],
  format: ['cjs'],
  dts: false,
  splitting: false,
  sourcemap: false,
  // It would gather what all commands require at the top of the file.
  treeshake: false,
  // Bundled, so that the commands that need no more than them load nothing else.
  noExternal: ['@nexus/client', '@nexus/process-manager/status'],
  define: { NEXUS_VERSION: JSON.stringify(manifest.version) },
})
