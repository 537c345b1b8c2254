import nacl from 'tweetnacl'
export default () => {
  const k = nacl.sign.keyPair.fromSeed(new Uint8Array(32))
  const s = nacl.sign.detached(new Uint8Array([1]), k.secretKey)
  const bk = nacl.box.keyPair()
  const n = nacl.randomBytes(24)
  const m = nacl.box(new Uint8Array([5]), n, bk.publicKey, bk.secretKey)
  return [
    [...s],
    nacl.sign.detached.verify(new Uint8Array([1]), s, k.publicKey),
    [...nacl.box.open(m, n, bk.publicKey, bk.secretKey)],
    [...nacl.hash(new Uint8Array(3))].length,
  ]
}
