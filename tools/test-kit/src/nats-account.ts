import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeAccount, encodeOperator, encodeUser, fmtCreds } from '@nats-io/jwt'
import { createAccount, createOperator, createUser } from '@nats-io/nkeys'

/** A NATS account whose users come with a JWT and a seed. */
export interface NatsAccount {
  /** Settings of a server that knows the account. */
  settings: string[]
  /** What a credentials file of its user says. */
  credentials: string
  remove(): void
}

/** Makes an operator, an account that may use JetStream, and a user of it. */
export async function createNatsAccount(): Promise<NatsAccount> {
  const operator = createOperator()
  const account = createAccount()
  const system = createAccount()
  const user = createUser()
  const unlimited = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1, imports: -1 }
  const operatorJwt = await encodeOperator('test', operator, {
    system_account: system.getPublicKey(),
  })
  const accountJwt = await encodeAccount(
    'test',
    account,
    { limits: { ...unlimited, exports: -1, conn: -1, subs: -1, data: -1, payload: -1, leaf: -1 } },
    { signer: operator },
  )
  const systemJwt = await encodeAccount('system', system, {}, { signer: operator })
  const userJwt = await encodeUser('test', user, account, {
    subs: -1,
    data: -1,
    payload: -1,
  })
  const directory = mkdtempSync(join(tmpdir(), 'nexus-test-nats-'))
  const config = join(directory, 'server.conf')
  writeFileSync(
    config,
    `operator: ${operatorJwt}
system_account: ${system.getPublicKey()}
resolver: MEMORY
resolver_preload: {
  ${account.getPublicKey()}: ${accountJwt}
  ${system.getPublicKey()}: ${systemJwt}
}
`,
  )
  return {
    settings: ['-c', config],
    credentials: new TextDecoder().decode(fmtCreds(userJwt, user)),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  }
}
