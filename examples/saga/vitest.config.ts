import { packageTests } from '../../tools/test-kit/config/package-tests.js'

export default packageTests()
