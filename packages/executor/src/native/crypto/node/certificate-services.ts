import { X509Certificate } from 'node:crypto'
import type { NativeArgument, NativeContext, NativeService } from '../../native-service.js'
import { curveUnits, readKeyUnits } from '../operation-units.js'
import { FACTS_BYTES, keepKey, keyOperationUnits } from './key-services.js'
import { bytesOf, keyOf, type NodeOptions, nameOf, optionsOf } from './node-arguments.js'

/** More bytes than a certificate has, also as PEM and with many names in it. */
const MAX_CERTIFICATE_BYTES = 64 * 1024
/** The longest name of a host, a mailbox or an address. */
const MAX_NAME_LENGTH = 1024
/** What one byte of a certificate may become as text: a name shows some as an escape. */
const TEXT_PER_BYTE = 12

/** Reading a certificate and writing its names as text. */
function certificateUnits(bytes: number): number {
  return 3 * readKeyUnits(bytes) + bytes / 2
}

function certificateBytes(argument: NativeArgument): Buffer {
  const bytes = bytesOf(argument)
  if (bytes.length <= MAX_CERTIFICATE_BYTES) return Buffer.from(bytes)
  throw new RangeError(
    `A certificate may have ${MAX_CERTIFICATE_BYTES} bytes here, got ${bytes.length}`,
  )
}

/** A service of a certificate, which is with the guest as bytes. */
function ofCertificate(
  what: string,
  run: (
    certificate: X509Certificate,
    options: NodeOptions,
    context: NativeContext,
    other: NativeArgument,
  ) => string,
  unitsBeside: (options: NodeOptions, context: NativeContext) => number = () => 0,
): NativeService {
  return ([json, data, other], context) => {
    const options = optionsOf(json)
    const bytes = certificateBytes(data)
    const size = bytes.length + (other instanceof Uint8Array ? other.length : 0)
    return {
      what: `crypto.X509Certificate${what}`,
      units: certificateUnits(size) + unitsBeside(options, context),
      outputBytes: FACTS_BYTES + bytes.length * TEXT_PER_BYTE,
      workBytes: size * TEXT_PER_BYTE,
      run: () => run(new X509Certificate(bytes), options, context, other),
    }
  }
}

/** `({}, bytes)`: what the certificate says, as JSON; `raw` is its DER in base64. */
const certificate = ofCertificate('', (read) =>
  JSON.stringify({
    subject: read.subject,
    subjectAltName: read.subjectAltName,
    issuer: read.issuer,
    infoAccess: read.infoAccess,
    validFrom: read.validFrom,
    validTo: read.validTo,
    fingerprint: read.fingerprint,
    fingerprint256: read.fingerprint256,
    fingerprint512: read.fingerprint512,
    keyUsage: read.keyUsage,
    serialNumber: read.serialNumber,
    ca: read.ca,
    pem: read.toString(),
    raw: read.raw.toString('base64'),
  }),
)

const certificateKey = ofCertificate(
  '.publicKey',
  (read, _, context) => JSON.stringify(keepKey(read.publicKey, context)),
  () => curveUnits('p-521'),
)

/** Buffers become what `Buffer.prototype.toJSON` makes of them. */
const certificateLegacy = ofCertificate('.toLegacyObject', (read) =>
  JSON.stringify(read.toLegacyObject()),
)

const NAME_CHECKS: Readonly<
  Record<string, (read: X509Certificate, name: string, options: never) => string | undefined>
> = {
  checkHost: (read, name, options) => read.checkHost(name, options),
  checkEmail: (read, name, options) => read.checkEmail(name, options),
  checkIP: (read, name) => read.checkIP(name),
}

/** `({ check, name, options? }, bytes)`: the name in the certificate that fits, as JSON. */
const certificateName = ofCertificate('.checkHost', (read, { check, name, options }) => {
  const run = Object.hasOwn(NAME_CHECKS, nameOf(check)) && NAME_CHECKS[nameOf(check)]
  if (!run) throw new TypeError('There is no such check')
  if (typeof name !== 'string' || name.length > MAX_NAME_LENGTH) {
    throw new RangeError(`A name may have ${MAX_NAME_LENGTH} characters here`)
  }
  return JSON.stringify({ found: run(read, name, options as never) })
})

/** `({}, bytes, issuer)`: whether the other one may have issued it; no signature is checked. */
const certificateIssued = ofCertificate('.checkIssued', (read, _, __, other) =>
  String(read.checkIssued(new X509Certificate(certificateBytes(other)))),
)

/** `({ key }, bytes)`: whether it is the certificate of that private key. */
const certificateOwns = ofCertificate(
  '.checkPrivateKey',
  (read, { key }, context) => String(read.checkPrivateKey(keyOf(key, context))),
  () => curveUnits('p-521'),
)

/** `({ key }, bytes)`: whether that public key signed it. */
const certificateVerify = ofCertificate(
  '.verify',
  (read, { key }, context) => String(read.verify(keyOf(key, context))),
  ({ key }, context) => keyOperationUnits(keyOf(key, context), 'public'),
)

export const CERTIFICATE_SERVICES: readonly (readonly [string, NativeService])[] = [
  ['node.certificate', certificate],
  ['node.certificateKey', certificateKey],
  ['node.certificateLegacy', certificateLegacy],
  ['node.certificateName', certificateName],
  ['node.certificateIssued', certificateIssued],
  ['node.certificateOwns', certificateOwns],
  ['node.certificateVerify', certificateVerify],
]
