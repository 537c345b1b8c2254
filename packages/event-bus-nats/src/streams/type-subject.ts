/** Stands for an empty token, which a subject cannot have: the type may begin or end with a dot. */
const EMPTY = '%'

/**
 * The part of a subject that stands for an event type, or for a pattern: `*` and `>` mean the same to the server. A type may have spaces and empty tokens; a space in a subject would end
 * it, and the server would close the connection.
 */
export function subjectOfType(type: string): string {
  return type.split('.').map(encoded).join('.')
}

/** The type that {@link subjectOfType} made this of. */
export function typeOfSubject(subject: string): string {
  return subject.split('.').map(decoded).join('.')
}

function encoded(token: string): string {
  return token === '' ? EMPTY : token.replaceAll('%', '%25').replaceAll(' ', '%20')
}

function decoded(token: string): string {
  return token === EMPTY ? '' : token.replaceAll('%20', ' ').replaceAll('%25', '%')
}
