import { FunctionsError, type FunctionsErrorCode } from '@nexus/functions'
import { HttpError } from '../answers/http-error.js'

const STATUS: Partial<Record<FunctionsErrorCode, number>> = {
  FUNCTION_NOT_FOUND: 404,
  FUNCTION_PAUSED: 409,
  INVOKE_TIMEOUT: 504,
  SUSPENSION_BUSY: 409,
  SUSPENSION_NOT_FOUND: 404,
}

/** The result of what a function host was asked for; what it refuses is an answer to the client. */
export async function functionRefusal<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked
  } catch (error) {
    const status = error instanceof FunctionsError ? STATUS[error.code] : undefined
    if (status === undefined) throw error
    const { code, message } = error as FunctionsError
    throw new HttpError(status, code, message)
  }
}
