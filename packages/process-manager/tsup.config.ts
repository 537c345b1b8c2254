import { library } from '../../tools/tsup.js'

// The two configurations are built side by side, so each removes only what it makes.

/** Programs of their own: CommonJS in one file, for they start several milliseconds sooner. */
const programs = library({
  entry: { daemon: 'src/native/daemon/main.ts', 'service-host': 'src/warm-pool/service-host.ts' },
  format: ['cjs'],
  dts: false,
  clean: ['*.cjs'],
  splitting: false,
  sourcemap: false,
  shims: true,
})

export default [
  library({
    entry: {
      index: 'src/index.ts',
      native: 'src/native/index.ts',
      redis: 'src/redis/index.ts',
      status: 'src/native/status.ts',
    },
    clean: ['*.js', '*.js.map', '*.d.ts'],
  }),
  programs,
]
