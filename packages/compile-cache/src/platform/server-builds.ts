import { packageOf } from '../bundle/package-of.js'

/**
 * Packages whose build for browsers lacks what programs on servers do with them (`getHeaders` of a form, `Joi.binary()`,
 * streams of Node), and whose other build runs in the sandbox: `test/packages` in @nexus/executor runs each.
 */
const WITH_SERVER_BUILD: ReadonlySet<string> = new Set([
  ...['form-data', 'joi', 'jszip', 'node-forge', 'stripe', 'turndown'],
])

/** Whether an import is of such a package, or by one. */
export function wantsServerBuild(specifier: string, directory: string): boolean {
  const [name = ''] = specifier.split('/', 1)
  return WITH_SERVER_BUILD.has(name) || WITH_SERVER_BUILD.has(packageOf(`${directory}/`) ?? '')
}
