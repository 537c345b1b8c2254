import {
  type CipherGCM,
  createCipheriv,
  createDecipheriv,
  type DecipherGCM,
  getCipherInfo,
} from 'node:crypto'
import type { CallBound } from '../../native-objects.js'
import { copyUnits } from '../../native-price.js'
import type { NativeContext, NativeService, NativeWork } from '../../native-service.js'
import { cipherUnits, keyWrapUnits } from '../operation-units.js'
import { bytesOf, countOf, keyOf, nameOf, optionsOf } from './node-arguments.js'

/** What Node keeps for a cipher, with room. */
const CIPHER_BYTES = 2048
const BLOCK_BYTES = 32

/** A cipher under way. It has a state, so it belongs to one call. */
class OpenCipher implements CallBound {
  isDone = false

  constructor(
    readonly name: string,
    readonly cipher: CipherGCM & DecipherGCM,
  ) {}

  get openName(): string | undefined {
    return this.isDone ? undefined : `a cipher that is at work (${this.name})`
  }
}

function openCipher(id: unknown, { objects }: NativeContext): OpenCipher {
  const open = objects.getOwn(id)
  if (open instanceof OpenCipher) return open
  throw new Error(
    'The cipher is not one of this call: it has a state, so it cannot be made while the module loads',
  )
}

function unitsFor(name: string, bytes: number): number {
  return /wrap/i.test(name)
    ? keyWrapUnits(bytes)
    : cipherUnits(bytes) * (/ccm|xts|des|ocb|siv/i.test(name) ? 10 : 1)
}

/** `({ decrypt, algorithm, key, authTagLength? }, iv?)`: the id of a cipher. */
const open: NativeService = ([json, iv], context) => {
  const options = optionsOf(json)
  const algorithm = nameOf(options.algorithm)
  const key = keyOf(options.key, context)
  const { authTagLength } = options as { authTagLength?: number }
  const create = (
    options.decrypt === true ? createDecipheriv : createCipheriv
  ) as typeof createCipheriv
  return {
    what: `crypto.createCipheriv (${algorithm})`,
    units: 20,
    outputBytes: 32,
    run: () => {
      const cipher = create(algorithm, key, iv === undefined ? null : bytesOf(iv), {
        authTagLength,
      } as never)
      const opened = new OpenCipher(algorithm, cipher as never)
      return String(context.objects.add(opened, CIPHER_BYTES, context.memoryLimitBytes))
    },
  }
}

type Step = (
  open: OpenCipher,
  options: ReturnType<typeof optionsOf>,
  bytes: Uint8Array,
) => Uint8Array | string
const NO_BYTES = new Uint8Array()

const STEPS: Readonly<Record<string, Step>> = {
  update: ({ cipher }, _, bytes) => cipher.update(bytes),
  final: (open) => {
    open.isDone = true
    return open.cipher.final()
  },
  setAutoPadding: ({ cipher }, { padding }) => {
    cipher.setAutoPadding(padding !== false)
    return ''
  },
  getAuthTag: ({ cipher }) => cipher.getAuthTag(),
  setAuthTag: ({ cipher }, _, bytes) => {
    cipher.setAuthTag(Buffer.from(bytes))
    return ''
  },
  setAAD: ({ cipher }, { plaintextLength }, bytes) => {
    cipher.setAAD(
      bytes,
      plaintextLength === undefined
        ? undefined
        : ({ plaintextLength: countOf(plaintextLength) } as never),
    )
    return ''
  },
}

/** `({ step, id, … }, bytes?)`: a method of a cipher. */
const step: NativeService = ([json, data], context): NativeWork => {
  const options = optionsOf(json)
  const name = nameOf(options.step)
  if (!Object.hasOwn(STEPS, name)) throw new TypeError('A cipher has no such method')
  const cipher = openCipher(options.id, context)
  const bytes = data === undefined ? NO_BYTES : bytesOf(data)
  return {
    what: `crypto.Cipher.${name} (${cipher.name})`,
    units: copyUnits(bytes.length * 2) + unitsFor(cipher.name, bytes.length),
    outputBytes: bytes.length * 2 + BLOCK_BYTES,
    run: () => STEPS[name]!(cipher, options, bytes),
  }
}

/** `({ algorithm, keyLength?, ivLength? })`: what Node knows of a cipher, as JSON. */
const info: NativeService = ([json]) => {
  const { algorithm, keyLength, ivLength } = optionsOf(json)
  const name = typeof algorithm === 'number' ? algorithm : nameOf(algorithm)
  return {
    what: 'crypto.getCipherInfo',
    units: 20,
    outputBytes: 1024,
    run: () =>
      JSON.stringify(getCipherInfo(name as string, { keyLength, ivLength } as never) ?? null),
  }
}

export const CIPHER_SERVICES: readonly (readonly [string, NativeService])[] = [
  ['node.cipher', open],
  ['node.cipherStep', step],
  ['node.cipherInfo', info],
]
