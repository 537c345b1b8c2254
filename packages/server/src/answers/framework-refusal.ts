import { HttpError } from './http-error.js'

/** What Fastify refuses, in our words: its codes and messages are its own business. */
const refusals: Record<string, HttpError> = {
  FST_ERR_BAD_URL: new HttpError(
    400,
    'BAD_URL',
    'The path of the address is not valid percent-encoded UTF-8.',
  ),
  FST_ERR_MAX_PARAM_LENGTH: new HttpError(
    414,
    'URL_TOO_LONG',
    'An id in the address is longer than any that can be stored.',
  ),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: new HttpError(
    415,
    'UNSUPPORTED_MEDIA_TYPE',
    'Expected a content-type such as application/json.',
  ),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: new HttpError(
    400,
    'BAD_REQUEST',
    'The body is not as long as its content-length says.',
  ),
}

/** The answer to a request that the framework refused. */
export function frameworkRefusal({
  code,
  statusCode = 400,
}: {
  code: string
  statusCode?: number | undefined
}): HttpError {
  return (
    refusals[code] ??
    new HttpError(statusCode, 'BAD_REQUEST', 'The server does not take this request.')
  )
}
