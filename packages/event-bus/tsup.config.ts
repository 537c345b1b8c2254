import { library } from '../../tools/tsup.js'

export default library({
  entry: {
    index: 'src/index.ts',
    http: 'src/http/index.ts',
    conformance: 'src/conformance/index.ts',
    'claim-guard': 'src/claim-guard/index.ts',
    store: 'src/store/index.ts',
  },
})
