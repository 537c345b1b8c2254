import MailComposer from 'nodemailer/lib/mail-composer/index.js'

/** A mail with a file, which no handler can read. */
export default () =>
  new Promise((resolve, reject) => {
    new MailComposer({ attachments: [{ path: '/no/such/file' }] })
      .compile()
      .build((error, message) => (error ? reject(error) : resolve(String(message))))
  })
