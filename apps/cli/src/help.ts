export const help = `Runs, inspects and replays event functions.

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
