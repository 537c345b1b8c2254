export const help = `Runs, inspects and replays event functions, and manages services.

Usage: nexus <command> [options]

Commands:
  dev                 run the functions of a nexus.yaml; reload them when they change
  start               run them without watching, for production
  events              list the newest events
  events <id>         show one event and what each function did with it
  replay <id>         have every function run a stored event once more
  metrics             show what the server has done since it started
  profile             profile the server while it serves: its own code and its functions
  optimizations       show what the server could do better, and the figures that say so
  optimizations apply <id>, undo <id>
                      turn the setting of one, and turn it back
  service             start, stop and watch services; see: nexus service --help

Options:
  --config <file>     dev, start: the configuration (default: nexus.yaml)
  --host <address>    dev, start: address to listen on (default: 127.0.0.1)
  --port <number>     dev, start: port to listen on (default: 8080)
  --limit <number>    events: how many to show, 1 to 1000 (default: 20)
  --type <pattern>    events: only these types; * is one token, a last > the rest
  --watch             metrics: show them again and again, until Ctrl-C
  --interval <s>      metrics --watch: seconds between two readings (default: 2)
  --seconds <n>       profile: for how long, 1 to 240 (default: 10)
  --function <name>   profile: only this function
  --out <file>        profile: where to; .html is a flame graph, .cpuprofile for developer tools,
                      .pb.gz for pprof, .json the whole report (default: an .html with the time)
  --url <url>         the server to ask (default: NEXUS_URL or http://localhost:8080)
  --json              print JSON, for scripts
  -h, --help          show this help
  -v, --version       show the version

NEXUS_TOKEN holds the server's token where it has one. Exit codes: 0 done, 1 failed, 2 wrong usage.
`

export const serviceHelp = `Runs services that outlive the command: starts, stops and watches them.

Usage: nexus service <command> [<name>...] [options]

Commands (a <name> may be \`all\`, and most take several):
  start <name>        start a service; with --script a new one, else one that is known
  stop <name>         end it, politely first; it stays known
  restart <name>      stop and start it, one instance after the other
  delete <name>       stop and forget it, its logs too
  status [<name>]     each process: state, pid, CPU, memory, uptime, restarts
  list                each service in one line
  metrics [<name>]    CPU in % of a core, memory in MB, uptime in s, restarts
  health [<name>]     check it now: by its health check, else its port, else its state
  logs <name>         the last lines it wrote
  save                write down what runs now
  resurrect           start what was saved and does not run

Options of start:
  --script <file>     the JavaScript to run; what follows a -- are its arguments
  --port <number>     given to it as PORT; several instances share it
  --env <K=V>         set an environment variable; may be repeated
  --cwd <directory>   where it runs (default: the directory of the script)
  --instances <n>     processes, 1 to 256 (default: 1)
  --lazy-init         done once it accepts work; it goes on initialising
  --wait              done only once it has initialised and is healthy
  --max-memory <n>    restart a process above it: bytes, or with K, M or G
  --max-cpu <n>       percent of one core that a process may use
  --health <url>      healthy while this answers 200 to 399; restarted when not

Other options:
  --timeout <s>       start --wait, health: seconds to wait (default: 60, 5)
  -f, --follow        logs: go on until Ctrl-C
  --lines <n>         logs: how many, 0 to 100000 (default: 100)
  --filter <regex>    logs: of these only the lines that match
  --engine <name>     native, or pm2 for the services of a PM2 daemon (default: native)
  --json              print JSON, for scripts
  -h, --help          show this help

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 something does not run or is not healthy
(status, health), 4 no such service. NEXUS_HOME is where services are kept
(default: $XDG_STATE_HOME/nexus or ~/.nexus), PM2_HOME the same for --engine pm2.
`
