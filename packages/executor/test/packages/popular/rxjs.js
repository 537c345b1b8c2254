import {
  catchError,
  delay,
  filter,
  firstValueFrom,
  from,
  interval,
  lastValueFrom,
  map,
  mergeMap,
  of,
  scan,
  take,
  throwError,
  toArray,
} from 'rxjs'
export default async () => [
  await lastValueFrom(
    from([1, 2, 3]).pipe(
      map((x) => x * 2),
      filter((x) => x > 2),
      toArray(),
    ),
  ),
  await lastValueFrom(
    interval(1).pipe(
      take(3),
      scan((a, b) => a + b, 0),
      toArray(),
    ),
  ),
  await firstValueFrom(throwError(() => new Error('e')).pipe(catchError((e) => of(e.message)))),
  await lastValueFrom(
    of(1, 2).pipe(
      mergeMap((x) => of(x).pipe(delay(1))),
      toArray(),
    ),
  ),
]
