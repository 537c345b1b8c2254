import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

/** Whether a script is TypeScript, by its name. */
export function isTypeScript(script: string): boolean {
  return /\.[cm]?ts$/.test(script)
}

/** Why a script cannot run here, when it is TypeScript; null when it can, or is none. */
export function whyNoTypeScript(script: string): string | null {
  if (!isTypeScript(script) || nodeStripsTypes() || findTsx(script) !== null) return null
  return `it is TypeScript, which Node ${process.version} does not run by itself: use Node 22.18 or newer, or install tsx beside the script (npm install tsx)`
}

/** Has the loaders understand TypeScript, where Node itself does not: with the `tsx` that is installed beside the script. */
export async function prepareTypeScript(script: string): Promise<void> {
  const tsx = isTypeScript(script) && !nodeStripsTypes() ? findTsx(script) : null
  if (tsx !== null) await import(pathToFileURL(tsx).href)
}

function nodeStripsTypes(): boolean {
  const { typescript } = process.features as { typescript?: string | false }
  return typeof typescript === 'string'
}

function findTsx(script: string): string | null {
  try {
    return createRequire(script).resolve('tsx')
  } catch {
    return null
  }
}
