import { library } from '../../tools/tsup.js'

export default library({
  entry: { index: 'src/index.ts', 'browser/index': 'src/pages/browser/index.ts' },
})
