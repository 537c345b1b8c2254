import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hasProgram, ServerProcess } from './server-process.js'

const howToInstall = 'apt-get install prometheus'

/** Whether this machine can run tests against Prometheus. */
export function hasPrometheus(): boolean {
  return hasProgram('prometheus', howToInstall)
}

/** Whether this machine can have metrics and rules checked by the tool that comes with Prometheus. */
export function hasPromtool(): boolean {
  return hasProgram('promtool', howToInstall)
}

/**
 * Starts a Prometheus that scrapes, and evaluates its rules, once a second.
 *
 * @param target what it scrapes, as `host:port`
 * @param ruleFile absolute path of its rules, if it is to have any
 */
export function startPrometheus(target: string, ruleFile?: string): Promise<ServerProcess> {
  return ServerProcess.start({
    command: 'prometheus',
    args: (port, directory) => {
      const file = join(directory, 'prometheus.yml')
      writeFileSync(file, JSON.stringify(configuration(target, ruleFile)))
      return [
        `--config.file=${file}`,
        `--storage.tsdb.path=${join(directory, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--enable-feature=exemplar-storage',
      ]
    },
    answers: (port) =>
      fetch(`http://127.0.0.1:${port}/-/ready`).then(
        ({ ok }) => ok,
        () => false,
      ),
  })
}

function configuration(target: string, ruleFile: string | undefined) {
  return {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: ruleFile === undefined ? [] : [ruleFile],
    scrape_configs: [{ job_name: 'nexus', static_configs: [{ targets: [target] }] }],
  }
}
