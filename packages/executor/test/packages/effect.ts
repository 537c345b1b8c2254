import { Effect, Either, pipe, Schedule, Schema, Stream } from 'effect'

export default async () => [
  await Effect.runPromise(
    pipe(
      Effect.succeed(1),
      Effect.map((n) => n + 1),
      Effect.delay('1 millis'),
    ),
  ),
  await Effect.runPromise(Effect.either(Effect.fail('no'))).then(Either.isLeft),
  await Effect.runPromise(
    Effect.all([Effect.succeed(1), Effect.promise(async () => 2)], { concurrency: 'unbounded' }),
  ),
  await Effect.runPromise(
    Stream.runCollect(Stream.range(1, 5).pipe(Stream.filter((n) => n % 2 === 1))),
  ).then((chunk) => [...chunk]),
  Schema.decodeUnknownEither(Schema.Struct({ a: Schema.Number }))({ a: 'x' })._tag,
  await Effect.runPromise(
    Effect.retry(
      Effect.sync(() => 'ok'),
      Schedule.recurs(2),
    ),
  ),
]
