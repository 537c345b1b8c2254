import { ConnectionPool } from '@nexus/process-manager'

// Connects, cold as it may be, asks once, and ends without letting go of anything.
const pool = new ConnectionPool({ home: process.env.WORKER_PM2_HOME })
const list = await pool.call('getMonitorData', [{}], { readOnly: true })
console.log(JSON.stringify({ services: (list as unknown[]).length, stats: pool.getStats() }))
