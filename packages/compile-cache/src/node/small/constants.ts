import { dlopen, errno, priority, signals } from 'unenv/node/internal/os/constants'
import { constants } from '../crypto/constants.js'

export default { ...dlopen, ...errno, ...priority, ...signals, ...constants }
