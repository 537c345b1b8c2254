import { processIdentity } from '../../../process-identity.js'
import type { InstanceStatus, ServiceState } from '../../../service/service.js'
import { aborted } from '../../aborted.js'
import type { CpuLimit } from '../../cpu-limit/limit.js'
import { type Deferred, deferred } from '../../deferred.js'
import { checkHealth } from '../health/health-check.js'
import { HealthMonitor } from '../health/health-monitor.js'
import type { CollectedOutput } from '../output/output-collector.js'
import type { InstanceRecord } from '../state/instance-record.js'
import { type InstanceContext, launch, type Said } from './launch.js'
import { awaitPort } from './port-probe.js'
import { type ProcessUsage, readUsage } from './process-usage.js'
import { RestartBackoff } from './restart-backoff.js'
import { AdoptedProcess, type Exit, type ServiceProcess } from './service-process.js'
import type { BoundSocket } from './shared-ports.js'
import {
  describeEnd,
  noSocket,
  startFailure,
  stoppedEarly,
  whatIsMissing,
} from './start-failure.js'

/** The socket that a process listens on. */
export interface GivenSocket {
  host: string | null
  socket: BoundSocket
}

/** One process of a service, over all the processes that it has been. */
export class Instance {
  #state: ServiceState = 'stopped'
  #reason: string | null = null
  #exit: Exit | null = null
  #restarts = 0
  #startedAt = 0
  #cpuPercent = 0
  #memoryBytes = 0
  #measured: { at: number; cpuMs: number } | null = null

  #process: ServiceProcess | null = null
  #output: CollectedOutput | null = null
  /** Whether it is to be running. */
  #wanted = false
  /** Settles once the process accepts work, or ended before. */
  #arrival: Deferred<void> | null = null
  #portTaken = false
  #saidReady = false
  /** Why the process is being replaced, while it is. */
  #replacedFor: string | null = null
  #socket: Deferred<GivenSocket> | null = null
  #drained: Deferred<void> | null = null
  #retry: NodeJS.Timeout | undefined
  #health: HealthMonitor | null = null
  #cpuLimit: CpuLimit | null = null
  readonly #backoff: RestartBackoff

  constructor(
    readonly index: number,
    private readonly context: InstanceContext,
    /** Of the instance whose place it takes, and its own. */
    restarts = 0,
  ) {
    this.#restarts = restarts
    this.#backoff = new RestartBackoff(context.definition.restart)
  }

  get state(): ServiceState {
    return this.#state
  }

  get restarts(): number {
    return this.#restarts
  }

  get pid(): number | null {
    return this.#process?.pid ?? null
  }

  /** Resolves once it accepts work; rejects when its first process ends before, though the restart rule goes on. */
  async start(signal: AbortSignal): Promise<void> {
    this.#wanted = true
    clearTimeout(this.#retry)
    this.#backoff.reset()
    await Promise.race([this.#launch(), aborted(signal)])
  }

  /** Waits for a start that is under way, if there is one. */
  async up(signal: AbortSignal): Promise<void> {
    await Promise.race([this.#arrival?.promise, aborted(signal)])
  }

  /** Takes over a process that the daemon before left, if it still runs; else, what it printed last. */
  takeOver(record: InstanceRecord | null): void {
    if (record === null) return
    if (processIdentity(record.pid) === record.identity) this.#adopt(record)
    else this.#resumeOutput(record)?.finish()
  }

  #adopt(record: InstanceRecord): void {
    this.#wanted = true
    this.#restarts = record.restarts
    this.#startedAt = record.startedAt
    this.#output = this.#resumeOutput(record)
    this.#own(new AdoptedProcess(record.pid, record.identity))
    this.#nowOnline()
  }

  /** Resolves once nothing of it runs any more. */
  async stop(): Promise<void> {
    this.#wanted = false
    clearTimeout(this.#retry)
    if (this.#process === null) return this.#set('stopped', null)
    this.#set('stopping', null)
    await this.#end(this.#process)
  }

  /**
   * The socket that it listens on, for another process to listen on it as well.
   *
   * @throws ProcessManagerError `NOT_SUPPORTED`
   */
  async shareSocket(port: number, signal: AbortSignal): Promise<GivenSocket> {
    if (this.#process?.send == null) throw noSocket(this.context.definition, 'adopted')
    const socket = deferred<GivenSocket>()
    this.#socket = socket
    this.#process.send({ type: 'nexus:share-socket', port })
    return await Promise.race([socket.promise, aborted(signal)])
  }

  /** Lets its connections end, then ends it. */
  async retire(): Promise<void> {
    this.#wanted = false
    const process = this.#process
    if (process?.send != null) {
      this.#set('stopping', null)
      this.#health?.close()
      const drained = deferred<void>()
      this.#drained = drained
      process.send({ type: 'nexus:drain' })
      const late = setTimeout(drained.resolve, this.context.definition.stopTimeoutMs)
      await Promise.race([drained.promise, process.exited])
      clearTimeout(late)
    }
    await this.stop()
  }

  async restart(signal: AbortSignal): Promise<void> {
    await this.stop()
    this.#restarts++
    await this.start(signal)
  }

  /** Checks now, whether or not it is checked regularly; answers why it is not healthy, or null. */
  async check(timeoutMs: number): Promise<string | null> {
    const working = ['online', 'unhealthy', 'initialising'].includes(this.#state)
    if (!working || this.#process === null) {
      return `is ${this.#state}${this.#reason === null ? '' : `: ${this.#reason}`}`
    }
    const { health, port } = this.context.definition
    const check = health ?? (port === null ? null : { port })
    return check === null ? null : checkHealth(check, timeoutMs, this.#process.askHealth)
  }

  /** Takes in what the process was found to use. */
  measured(usage: ProcessUsage, at: number): void {
    const last = this.#measured
    this.#measured = { at, cpuMs: usage.cpuMs }
    this.#memoryBytes = usage.memoryBytes
    if (last !== null && at > last.at) {
      this.#cpuPercent = Math.round(((usage.cpuMs - last.cpuMs) / (at - last.at)) * 1_000) / 10
    }
    const limit = this.context.definition.maxMemoryBytes
    if (limit !== null && usage.memoryBytes > limit && this.#state !== 'stopping') {
      this.#replace(`it held ${usage.memoryBytes} bytes of memory, its limit is ${limit}`)
    }
  }

  status(): InstanceStatus {
    return {
      index: this.index,
      pid: this.pid,
      state: this.#state,
      startedAt: this.#process === null ? null : this.#startedAt,
      restarts: this.#restarts,
      cpuPercent: this.#cpuPercent,
      memoryBytes: this.#memoryBytes,
      exit: this.#exit,
      reason: this.#reason,
    }
  }

  record(): InstanceRecord | null {
    const { pid, identity = null } = this.#process ?? {}
    if (pid === undefined || identity === null) return null
    const output = this.#output?.name ?? null
    return { pid, identity, startedAt: this.#startedAt, restarts: this.#restarts, output }
  }

  #launch(): Promise<void> {
    const missing = whatIsMissing(this.context.definition, this.index)
    if (missing !== null) {
      this.#set('errored', missing.reason)
      return Promise.reject(missing.error)
    }
    this.#portTaken = false
    this.#saidReady = false
    this.#replacedFor = null
    const arrival = deferred<void>()
    this.#arrival = arrival
    const portOpen = this.#awaitPort()
    const launched = launch(this.context, this.index, (process, said, handle) => {
      if (this.#process === process) this.#heard(process, said, handle)
    })
    if (launched === null) {
      this.#down('the system could not start a process', true, null)
      return arrival.promise
    }
    const { process, output, run } = launched
    this.#output = output
    this.#startedAt = Date.now()
    this.#own(process)
    this.#set('starting', null)
    run()
    portOpen(
      () => this.#process === process && this.#state === 'starting',
      () => this.#accepts(process),
    )
    return arrival.promise
  }

  /** The service itself reports that it listens; the port is looked at for the sake of programs that it may start. */
  #awaitPort() {
    const { port } = this.context.definition
    return port === null || this.context.ports !== null ? () => {} : awaitPort(port)
  }

  #own(process: ServiceProcess) {
    this.#process = process
    this.#measured = null
    this.#note()
    const { maxCpuPercent } = this.context.definition
    if (maxCpuPercent !== null) {
      this.#cpuLimit = this.context.cpu.limit(process.pid, maxCpuPercent, (signal) =>
        process.signalGroup(signal),
      )
    }
    process.exited.then((exit) => this.#ended(exit))
  }

  /** Beside what it prints, for a daemon whose state does not know it. */
  #note() {
    const record = this.record()
    if (record?.output == null) return
    const { name, script, port } = this.context.definition
    const { index } = this
    const process = { ...record, output: record.output }
    this.context.outputs.note({ service: name, script, port, index, process })
  }

  #heard(process: ServiceProcess, said: Said, handle: unknown) {
    const { port, lazyInit } = this.context.definition
    switch (said.type) {
      case 'ready':
        this.#saidReady = true
        if (this.#state === 'initialising') this.#nowOnline()
        break
      case 'nexus:running':
        if (port === null && lazyInit) this.#accepts(process)
        break
      case 'nexus:loaded':
        if (port === null) this.#accepts(process)
        break
      case 'nexus:listening':
        if (said.port === port) this.#accepts(process)
        break
      case 'nexus:listen-failed':
        this.#portTaken ||= said.port === port && said.code === 'EADDRINUSE'
        break
      case 'nexus:socket':
        if (handle == null) this.#socket?.reject(noSocket(this.context.definition, 'elsewhere'))
        else this.#socket?.resolve({ host: said.host, socket: handle as BoundSocket })
        break
      case 'nexus:drained':
        this.#drained?.resolve()
        break
      case 'nexus:listen':
        void this.context.ports?.answer(said, (answer, socket) => process.send?.(answer, socket))
    }
  }

  #accepts(process: ServiceProcess) {
    if (this.#process !== process || this.#state !== 'starting') return
    const { lazyInit, health } = this.context.definition
    if (lazyInit && !this.#saidReady) {
      this.#set('initialising', null)
      this.#arrived()
    } else if (health !== null) {
      this.#health = new HealthMonitor(health, process)
      this.#health.untilHealthy(() => this.#nowOnline())
    } else this.#nowOnline()
  }

  #nowOnline() {
    const process = this.#process
    if (process === null) return
    const usage = readUsage(process.pid)
    if (usage !== null) this.measured(usage, performance.now())
    this.#set('online', null)
    this.#arrived()
    const { health } = this.context.definition
    if (health === null) return
    this.#health ??= new HealthMonitor(health, process)
    this.#health.watch({
      healthy: () => this.#state === 'unhealthy' && this.#set('online', null),
      unhealthy: (reason) => this.#state === 'online' && this.#set('unhealthy', reason),
      failed: (reason) => this.#replace(reason),
    })
  }

  #arrived() {
    this.#arrival?.resolve()
    this.#arrival = null
  }

  /** Ends the process; its end starts the next one. */
  #replace(reason: string) {
    if (this.#process === null || this.#replacedFor !== null) return
    this.#replacedFor = reason
    this.#set('unhealthy', reason)
    void this.#end(this.#process)
  }

  async #end(process: ServiceProcess) {
    this.#health?.close()
    this.#cpuLimit?.lift()
    process.terminate()
    const kill = setTimeout(
      () => process.signalGroup('SIGKILL'),
      this.context.definition.stopTimeoutMs,
    )
    await process.exited
    clearTimeout(kill)
  }

  #ended(exit: Exit) {
    this.#output?.finish()
    this.#output = null
    const { minUptimeMs } = this.context.definition.restart
    const early = this.#arrival !== null || Date.now() - this.#startedAt < minUptimeMs
    const reason = this.#replacedFor ?? describeEnd(exit, this.context.log.lastError(this.index))
    this.#down(reason, early, exit)
  }

  /** It does not run now; decides what becomes of it. */
  #down(reason: string, early: boolean, exit: Exit | null) {
    const arrival = this.#arrival
    const { autoRestart } = this.context.definition
    const again = autoRestart || this.#replacedFor !== null
    this.#forget()
    this.#exit = exit
    if (!this.#wanted) {
      arrival?.reject(stoppedEarly(this.context.definition, this.index))
      this.#set('stopped', null)
      return
    }
    const delayMs = again ? this.#backoff.afterEnd(early) : null
    if (delayMs === null && !again && exit?.code === 0) this.#set('stopped', null)
    else if (delayMs === null) this.#set('errored', reason)
    else {
      this.#set('waiting', reason)
      this.#retry = setTimeout(() => this.#again(), delayMs)
    }
    arrival?.reject(
      startFailure(this.context.definition, this.index, reason, {
        portTaken: this.#portTaken,
        triesAgain: delayMs !== null,
      }),
    )
  }

  #again() {
    this.#restarts++
    // A failure is in the state; no command waits for this start.
    this.#launch().catch(() => {})
  }

  #resumeOutput({ output }: InstanceRecord) {
    if (output === null) return null
    return this.context.outputs.resume(output, this.context.log, this.index)
  }

  #forget() {
    this.#health?.close()
    this.#health = null
    this.#cpuLimit?.lift()
    this.#cpuLimit = null
    this.#process = null
    this.#arrival = null
    this.#cpuPercent = 0
    this.#memoryBytes = 0
  }

  #set(state: ServiceState, reason: string | null) {
    this.#state = state
    this.#reason = reason
    this.context.changed()
  }
}
