import { library } from '../../tools/tsup.js'
import manifest from './package.json' with { type: 'json' }

export default library({
  // What answers at once, and everything else.
  entry: ['src/nexus.ts', 'src/main.ts'],
  format: ['cjs'],
  dts: false,
  splitting: false,
  sourcemap: false,
  // It would gather what all commands require at the top of the file.
  treeshake: false,
  // Bundled, because loading an ES module takes Node half as long as its own start.
  noExternal: ['@nexus/client', '@nexus/process-manager/native', '@nexus/process-manager/status'],
  external: ['./main.cjs'],
  define: {
    NEXUS_VERSION: JSON.stringify(manifest.version),
    'import.meta.url': 'processManagerUrl',
  },
  esbuildOptions: (options) => {
    options.inject = ['src/process-manager-url.ts']
  },
})
