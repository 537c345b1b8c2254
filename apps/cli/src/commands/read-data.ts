import { readFile } from 'node:fs/promises'
import { text as readAll } from 'node:stream/consumers'
import type { JsonValue } from '@nexus/client'
import { UsageError } from '../command-line/usage-error.js'

/** The data that an operand names: JSON itself, `@file` for that of a file, `-` for that of the standard input. */
export async function readData(command: string, operand: string): Promise<JsonValue> {
  const text = await textOf(command, operand)
  try {
    return JSON.parse(text) as JsonValue
  } catch {
    throw new UsageError(
      `${command}: expected the data as JSON, such as '{"id": 7}' or '"text"', got ${text.slice(0, 80)}`,
    )
  }
}

async function textOf(command: string, operand: string): Promise<string> {
  if (operand === '-') return readAll(process.stdin)
  if (!operand.startsWith('@')) return operand
  const file = operand.slice(1)
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const why = code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code})`
    throw new UsageError(`${command}: data ${operand}: ${why}`)
  }
}
