import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Every package and app that is published.
 *
 * @param {string} root the folder of the repository
 * @returns {Promise<{ folder: string, file: string, manifest: any }[]>} `folder` is relative to the root
 */
export async function publishablePackages(root) {
  const found = []
  for (const parent of ['packages', 'apps']) {
    for (const name of (await readdir(join(root, parent))).sort()) {
      const folder = `${parent}/${name}`
      const file = join(root, folder, 'package.json')
      const text = await readFile(file, 'utf8').catch(() => undefined)
      const manifest = text && JSON.parse(text)
      if (manifest && !manifest.private) found.push({ folder, file, manifest })
    }
  }
  return found
}
