import { openCodec, runCodec } from './compression/compress.js'
import { AGREEMENT_SERVICES } from './crypto/node/agreement-services.js'
import { CERTIFICATE_SERVICES } from './crypto/node/certificate-services.js'
import { CIPHER_SERVICES } from './crypto/node/cipher-services.js'
import { DERIVE_SERVICES } from './crypto/node/derive-services.js'
import { HASH_SERVICES } from './crypto/node/hash-services.js'
import { KEY_SERVICES } from './crypto/node/key-services.js'
import { PRIME_SERVICES } from './crypto/node/prime-services.js'
import { SIGN_SERVICES } from './crypto/node/sign-services.js'
import { drawBytes, drawUuid } from './crypto/random.js'
import { SUBTLE_SERVICES } from './crypto/subtle/subtle-services.js'
import { decodeText, encodingName } from './encoding/decode.js'
import { INTL_SERVICES } from './intl/intl-services.js'
import type { NativeService } from './native-service.js'
import { ZLIB_SERVICES } from './zlib/zlib-services.js'

/** What the host does for guests, by the names that the guest's side uses. */
export const NATIVE_SERVICES: ReadonlyMap<string, NativeService> = new Map<string, NativeService>([
  ['compression.open', openCodec],
  ['compression.run', runCodec],
  ['encoding.name', encodingName],
  ['encoding.decode', decodeText],
  ['random.bytes', drawBytes],
  ['random.uuid', drawUuid],
  ...SUBTLE_SERVICES,
  ...HASH_SERVICES,
  ...DERIVE_SERVICES,
  ...KEY_SERVICES,
  ...SIGN_SERVICES,
  ...CIPHER_SERVICES,
  ...AGREEMENT_SERVICES,
  ...CERTIFICATE_SERVICES,
  ...PRIME_SERVICES,
  ...INTL_SERVICES,
  ...ZLIB_SERVICES,
])
