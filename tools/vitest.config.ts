import { packageTests } from './test-kit/config/package-tests.js'

export default packageTests({ name: 'tools', include: ['*.test.ts'] })
