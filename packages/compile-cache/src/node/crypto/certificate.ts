import { Buffer } from '../bytes/buffer-class.js'
import { assertObject, assertString, invalidType, invalidValue } from '../node-error.js'
import { ask, type Bytes, bytesOf } from './host.js'
import { KeyObject, keyOfFacts, keyParameters } from './keys.js'
import { notHere } from './not-here.js'

interface Facts {
  subject?: string
  subjectAltName?: string
  issuer?: string
  infoAccess?: string
  validFrom: string
  validTo: string
  fingerprint: string
  fingerprint256: string
  fingerprint512: string
  keyUsage?: string[]
  serialNumber: string
  ca: boolean
  pem: string
}

const BYTES = 'of type string or an instance of Buffer, TypedArray, or DataView'
const bufferFrom = Buffer.from as (value: unknown, encoding?: unknown) => Bytes

/** A certificate that the host has read; its bytes are with the program. */
export class X509Certificate {
  readonly #facts: Facts
  readonly #raw: Bytes
  #publicKey: KeyObject | undefined

  constructor(buffer: unknown) {
    const given = bytesOf(buffer, 'buffer', undefined, BYTES)
    const { raw, ...facts } = JSON.parse(ask('certificate', {}, given) as string)
    this.#facts = facts
    this.#raw = bufferFrom(raw, 'base64')
  }
  get subject() {
    return this.#facts.subject
  }
  get subjectAltName() {
    return this.#facts.subjectAltName
  }
  get issuer() {
    return this.#facts.issuer
  }
  /** Only a TLS connection tells it. */
  get issuerCertificate() {
    return undefined
  }
  get infoAccess() {
    return this.#facts.infoAccess
  }
  get validFrom() {
    return this.#facts.validFrom
  }
  get validTo() {
    return this.#facts.validTo
  }
  get validFromDate() {
    return new Date(this.#facts.validFrom)
  }
  get validToDate() {
    return new Date(this.#facts.validTo)
  }
  get fingerprint() {
    return this.#facts.fingerprint
  }
  get fingerprint256() {
    return this.#facts.fingerprint256
  }
  get fingerprint512() {
    return this.#facts.fingerprint512
  }
  get keyUsage() {
    return this.#facts.keyUsage
  }
  get serialNumber() {
    return this.#facts.serialNumber
  }
  get ca() {
    return this.#facts.ca
  }
  get raw(): Bytes {
    return this.#raw
  }
  get publicKey(): KeyObject {
    this.#publicKey ??= keyOfFacts(ask('certificateKey', {}, this.#raw))
    return this.#publicKey
  }
  toString(): string {
    return this.#facts.pem
  }
  toJSON(): string {
    return this.#facts.pem
  }
  checkHost(name: string, options?: object): string | undefined {
    return this.#check('checkHost', name, options)
  }
  checkEmail(email: string, options?: object): string | undefined {
    return this.#check('checkEmail', email, options)
  }
  checkIP(ip: string): string | undefined {
    return this.#check('checkIP', ip)
  }
  checkIssued(other: unknown): boolean {
    if (!(other instanceof X509Certificate)) {
      throw invalidType('otherCert', 'an instance of X509Certificate', other)
    }
    return ask('certificateIssued', {}, this.#raw, other.#raw) === 'true'
  }
  checkPrivateKey(key: unknown): boolean {
    return this.#withKey('certificateOwns', 'private', key)
  }
  verify(key: unknown): boolean {
    return this.#withKey('certificateVerify', 'public', key)
  }
  toLegacyObject(): object {
    const legacy = JSON.parse(ask('certificateLegacy', {}, this.#raw) as string, (_, value) =>
      value?.type === 'Buffer' && Array.isArray(value.data) ? bufferFrom(value.data) : value,
    )
    for (const name of ['subject', 'issuer', 'infoAccess']) {
      if (legacy[name]) Object.setPrototypeOf(legacy[name], null)
    }
    return legacy
  }
  #check(check: string, name: string, options?: object): string | undefined {
    assertString(name, ARGUMENT[check] ?? 'name')
    if (options !== undefined) assertObject(options, 'options')
    return JSON.parse(ask('certificateName', { check, name, options }, this.#raw) as string).found
  }
  #withKey(service: string, type: 'private' | 'public', key: unknown): boolean {
    if (!(key instanceof KeyObject)) throw invalidType('pkey', 'an instance of KeyObject', key)
    if (key.type !== type) throw invalidValue('pkey', key)
    return ask(service, { key: keyParameters(type, key).key }, this.#raw) === 'true'
  }
}
const ARGUMENT: Readonly<Record<string, string>> = { checkEmail: 'email', checkIP: 'ip' }

const spkac = (method: string) => (): never => {
  throw notHere(
    `crypto.Certificate.${method}`,
    'it reads the output of <keygen>, which no browser has',
  )
}

/** @throws by each of its methods */
export class Certificate {
  static readonly verifySpkac = spkac('verifySpkac')
  static readonly exportPublicKey = spkac('exportPublicKey')
  static readonly exportChallenge = spkac('exportChallenge')
  readonly verifySpkac = Certificate.verifySpkac
  readonly exportPublicKey = Certificate.exportPublicKey
  readonly exportChallenge = Certificate.exportChallenge
}
