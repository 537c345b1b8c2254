import { z } from 'zod'

/** Values for the labels of a metric; a label left out is the same as an empty one. */
export type Labels<L extends string = string> = {
  readonly [Name in L]?: string | number | boolean | undefined
}

/** Reports one value of a metric that is read at scrape time. */
export type Observe<L extends string = string> = (value: number, labels?: Labels<L>) => void

/** Reads current values at scrape time; label sets it does not report are absent from the scrape. */
export type Collect<L extends string = string> = (observe: Observe<L>) => void | Promise<void>

/** What every metric is made from. */
export interface MetricDefinition<L extends string = string> {
  /** Name in base units, such as `http_request_duration_seconds`; a counter's ends in `_total`. */
  name: string
  /** One line about what is measured, for the people who query it. */
  help: string
  /**
   * Names of the labels that tell the series of this metric apart.
   * @default []
   */
  labelNames?: readonly L[] | undefined
  /**
   * Drops a series that was not updated for this long, in milliseconds, at the first scrape after it.
   * @default never
   */
  expireAfterMs?: number | undefined
}

/** Definition of a counter. */
export interface CounterDefinition<L extends string = string> extends MetricDefinition<L> {
  /** Reads the running total from a component at scrape time, instead of `inc`. */
  collect?: Collect<L> | undefined
}

/** How the values that several threads or processes report for one gauge become one. */
export type GaugeAggregation = 'sum' | 'max' | 'min'

/** Definition of a gauge. */
export interface GaugeDefinition<L extends string = string> extends MetricDefinition<L> {
  /** Reads the value at scrape time, instead of `set`. */
  collect?: Collect<L> | undefined
  /**
   * How the values of several threads or processes become one.
   * @default 'sum'
   */
  aggregate?: GaugeAggregation | undefined
}

/** Definition of a histogram. */
export interface HistogramDefinition<L extends string = string> extends MetricDefinition<L> {
  /**
   * Upper bounds (inclusive) in ascending order; `+Inf` is added.
   * @default [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
   */
  buckets?: readonly number[] | undefined
}

/** Definition of a summary of quantiles, each exact to 0.8 %. */
export interface SummaryDefinition<L extends string = string> extends MetricDefinition<L> {
  /**
   * Quantiles to export, each between 0 and 1.
   * @default [0.5, 0.9, 0.99]
   */
  quantiles?: readonly number[] | undefined
  /**
   * The quantiles are those of this last stretch of time, in milliseconds.
   * @default 600_000
   */
  windowMs?: number | undefined
  /**
   * In how many steps the window moves on; each costs memory.
   * @default 5
   */
  windowSlices?: number | undefined
}

const metric = {
  name: z
    .string()
    .regex(
      /^[a-zA-Z_:][a-zA-Z0-9_:]*$/,
      'expected letters, digits, _ and :, not starting with a digit',
    ),
  help: z.string().min(1, 'expected one line about what is measured'),
  labelNames: z
    .array(
      z
        .string()
        .regex(
          /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/,
          'expected letters, digits and _, not starting with a digit or __',
        ),
    )
    .refine((names) => new Set(names).size === names.length, 'expected each label name once')
    .default([]),
  expireAfterMs: z.number().positive().optional(),
}

const collect = z
  .custom<Collect>((value) => typeof value === 'function', 'expected a function')
  .optional()

export const counterDefinition = z.strictObject({
  ...metric,
  name: metric.name.endsWith('_total', 'expected the name of a counter to end in _total'),
  collect,
})

export const gaugeDefinition = z.strictObject({
  ...metric,
  collect,
  aggregate: z.enum(['sum', 'max', 'min']).default('sum'),
})

const without = (reserved: string) =>
  metric.labelNames.refine((names) => !names.includes(reserved), `${reserved} is a reserved label`)

export const histogramDefinition = z.strictObject({
  ...metric,
  labelNames: without('le'),
  buckets: z
    .array(z.number())
    .min(1)
    .refine((bounds) => bounds.every((bound, i) => i === 0 || bound > bounds[i - 1]!), {
      error: 'expected ascending bounds',
    })
    .default([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]),
})

export const summaryDefinition = z.strictObject({
  ...metric,
  labelNames: without('quantile'),
  quantiles: z.array(z.number().min(0).max(1)).min(1).default([0.5, 0.9, 0.99]),
  windowMs: z.number().positive().default(600_000),
  windowSlices: z.number().int().min(1).max(60).default(5),
})

export type ResolvedCounter = z.output<typeof counterDefinition>
export type ResolvedGauge = z.output<typeof gaugeDefinition>
export type ResolvedHistogram = z.output<typeof histogramDefinition>
export type ResolvedSummary = z.output<typeof summaryDefinition>
export type ResolvedDefinition = Pick<
  ResolvedCounter,
  'name' | 'help' | 'labelNames' | 'expireAfterMs'
>
