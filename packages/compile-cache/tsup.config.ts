import { library } from '../../tools/tsup.js'
import { buildNodeModules } from './build/node-modules.js'

export default library({
  entry: { index: 'src/index.ts', 'compile-worker': 'src/engine/compile-worker.ts' },
  onSuccess: buildNodeModules,
})
