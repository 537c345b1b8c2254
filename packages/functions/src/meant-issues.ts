import type { z } from 'zod'

/** Of a value that may have several shapes, the mistakes in the shape that was meant. */
export function meantIssues(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code !== 'invalid_union') return [issue]
  const ofOtherShape = ({ code, path }: z.core.$ZodIssue) =>
    path.length === 0 && (code === 'invalid_type' || code === 'invalid_value')
  const meant = issue.errors.find((issues) => !issues.some(ofOtherShape)) ?? issue.errors[0] ?? []
  return meant.flatMap((inner) => meantIssues({ ...inner, path: [...issue.path, ...inner.path] }))
}
