import { createTransport } from 'nodemailer'
import MailComposer from 'nodemailer/lib/mail-composer/index.js'

const MAIL = {
  from: 'Ünal <from@a.example>',
  to: ['to@b.example', { name: 'Two, Person', address: 'two@b.example' }],
  subject: 'Grüße – 你好',
  messageId: '<id@a.example>',
  date: new Date('2024-02-29T12:00:00Z'),
  text: 'Hello ünïcode\n'.repeat(20),
  html: '<p>Hello <b>ünïcode</b><img src="cid:logo"></p>',
  baseBoundary: 'fixed',
  attachments: [
    { filename: 'ä.bin', content: Buffer.from(Array.from({ length: 300 }, (_, i) => i % 256)) },
    { filename: 'logo.png', cid: 'logo', content: 'aGk=', encoding: 'base64' },
  ],
  icalEvent: { method: 'REQUEST', content: 'BEGIN:VCALENDAR\r\nEND:VCALENDAR' },
}

/** A mail is made; nothing is sent, and no file is read. */
export default async () => {
  const composed: Buffer = await new Promise((resolve, reject) => {
    new MailComposer(MAIL as never)
      .compile()
      .build((error: Error | null, message: Buffer) => (error ? reject(error) : resolve(message)))
  })
  const transport = createTransport({ streamTransport: true, buffer: true, newline: 'unix' })
  const { message, envelope } = await transport.sendMail(MAIL as never)
  return { composed: String(composed), sent: String(message), envelope }
}
