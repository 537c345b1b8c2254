import { mkdirSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { defaultHome } from '@nexus/process-manager/status'
import { runs } from '../../command-line/parse.js'
import { printError } from '../../terminal/output.js'
import { printNow } from '../../terminal/print-now.js'
import { service } from './command.js'

const unit = 'nexus-services.service'

/** `nexus service startup`: nothing is enabled, for that is the machine's owner's to do. */
export const runStartup = runs(service.commands.startup, ({ values: { write } }) => {
  const text = systemdUnit(process.execPath, process.argv[1] ?? '', defaultHome())
  if (!write) {
    printNow(text)
    printError(`# --write puts it into ${unitFile()}\n`)
    return
  }
  mkdirSync(dirname(unitFile()), { recursive: true })
  writeFileSync(unitFile(), text)
  printNow(`Wrote ${unitFile()}. To have it run when the machine starts:
  nexus service save
  systemctl --user daemon-reload
  systemctl --user enable ${unit}
  loginctl enable-linger
`)
})

function unitFile(): string {
  const config = process.env.XDG_CONFIG_HOME || join(homedir(), '.config')
  return join(config, 'systemd', 'user', unit)
}

/** Starts what was saved; its daemon and services belong to the unit, so that a stop of the unit ends them. */
export function systemdUnit(node: string, nexus: string, home: string): string {
  return `[Unit]
Description=Nexus services
After=network-online.target

[Service]
Type=oneshot
RemainAfterExit=yes
Environment=${quoted(`NEXUS_HOME=${home}`)}
ExecStart=${quoted(node)} ${quoted(nexus)} service resurrect
ExecStop=${quoted(node)} ${quoted(nexus)} service stop all
TimeoutStopSec=120

[Install]
WantedBy=default.target
`
}

/** As systemd reads it: `%` and `$` stand for something else there. */
function quoted(text: string): string {
  const escaped = text.replace(/["\\]/g, '\\$&').replaceAll('%', '%%').replaceAll('$', '$$$$')
  return `"${escaped}"`
}
