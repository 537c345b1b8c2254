import { library } from '../../tools/tsup.js'
import { buildNodeModules } from './build/node-modules.js'

export default library({
  entry: {
    index: 'src/index.ts',
    'build-worker': 'src/bundle/build-worker.ts',
    'compile-worker': 'src/engine/compile-worker.ts',
  },
  onSuccess: buildNodeModules,
})
