import { packageTests } from '../../tools/test-kit/config/package-tests.js'

// Tests start processes, which takes a busy machine long.
export default packageTests({ testTimeout: 120_000 })
