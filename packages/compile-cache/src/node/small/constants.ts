import { dlopen, errno, priority, signals } from 'unenv/node/internal/os/constants'

export default { ...dlopen, ...errno, ...priority, ...signals }
