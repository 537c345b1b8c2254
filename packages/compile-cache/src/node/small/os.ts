import {
  dlopen,
  errno,
  priority,
  signals,
  UV_UDP_REUSEADDR,
} from 'unenv/node/internal/os/constants'

export const EOL = '\n'
export const devNull = '/dev/null'
export const constants = { UV_UDP_REUSEADDR, dlopen, errno, priority, signals }

/** What a handler is told of the machine is the same everywhere. */
export const platform = () => 'linux'
export const type = () => 'Linux'
export const arch = () => 'x64'
export const machine = () => 'x86_64'
export const release = () => ''
export const version = () => ''
export const endianness = () => 'LE'
export const hostname = () => 'localhost'
export const homedir = () => '/'
export const tmpdir = () => '/tmp'
export const uptime = () => Math.floor(performance.now() / 1000)
export const loadavg = () => [0, 0, 0]
export const totalmem = () => 0
export const freemem = () => 0
export const cpus = () => []
export const availableParallelism = () => 1
export const networkInterfaces = () => ({})
export const getPriority = () => 0
export const setPriority = () => undefined
export const userInfo = () => ({ uid: -1, gid: -1, username: '', homedir: '/', shell: null })

export default {
  arch,
  availableParallelism,
  constants,
  cpus,
  devNull,
  EOL,
  endianness,
  freemem,
  getPriority,
  homedir,
  hostname,
  loadavg,
  machine,
  networkInterfaces,
  platform,
  release,
  setPriority,
  tmpdir,
  totalmem,
  type,
  uptime,
  userInfo,
  version,
}
