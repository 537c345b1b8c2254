import forge from 'node-forge'
export default () => {
  const digest = (name) => forge.md[name].create().update('x').digest().toHex()
  const cipher = forge.cipher.createCipher('AES-CBC', '0123456789abcdef')
  cipher.start({ iv: 'fedcba9876543210' })
  cipher.update(forge.util.createBuffer('hello'))
  cipher.finish()
  const hmac = forge.hmac.create()
  hmac.start('sha1', 'key')
  hmac.update('data')
  const keys = forge.pki.rsa.generateKeyPair({ bits: 1024 })
  const certificate = forge.pki.createCertificate()
  certificate.publicKey = keys.publicKey
  certificate.setSubject([{ name: 'commonName', value: 'a.example' }])
  certificate.setIssuer([{ name: 'commonName', value: 'a.example' }])
  certificate.sign(keys.privateKey, forge.md.sha256.create())
  const again = forge.pki.certificateFromPem(forge.pki.certificateToPem(certificate))
  return [
    ['md5', 'sha1', 'sha256', 'sha512'].map(digest),
    cipher.output.toHex(),
    hmac.digest().toHex(),
    forge.util.bytesToHex(forge.pkcs5.pbkdf2('password', 'salt', 10, 16)),
    forge.pki.privateKeyToPem(keys.privateKey).split('\n')[0],
    certificate.verify(again),
    again.subject.getField('CN').value,
    forge.random.getBytesSync(5).length,
  ]
}
