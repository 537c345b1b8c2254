import { indentRest, type Style, toJson } from '../../terminal/terminal.js'

/** JSON that starts at column 13, all its lines. */
export function inset(value: unknown): string {
  return indentRest(toJson(value, 2), 12)
}

/** `  Name      value`, the value from column 13 on. */
export function field(name: string, value: string, style: Style): string {
  return `  ${style.dim(name.padEnd(10))}${value}\n`
}
