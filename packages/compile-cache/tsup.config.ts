import { library } from '../../tools/tsup.js'

export default library({
  entry: { index: 'src/index.ts', 'compile-worker': 'src/engine/compile-worker.ts' },
})
