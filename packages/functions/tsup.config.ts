import { library } from '../../tools/tsup.js'

export default library({ entry: ['src/index.ts', 'src/otel/index.ts', 'src/profiling/index.ts'] })
