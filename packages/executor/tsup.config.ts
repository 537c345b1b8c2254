import { library } from '../../tools/tsup.js'

export default library({
  entry: {
    index: 'src/index.ts',
    worker: 'src/threads/worker.ts',
    'layout-worker': 'src/wasi/module/layout-worker.ts',
  },
})
