import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { p256 } from '@noble/curves/nist.js'
import { expect } from 'chai'
import { registryRoot, revocationDigest } from '#core/link/registry.ts'
import { openDeviceStore, type DeviceStore } from '#gateway/link/device-store.ts'
import { openP256File, openP256Token, type Pkcs11 } from '#gateway/link/p256-key.ts'
import { readSensorCode, sensorCode } from '#gateway/link/provision.ts'
import { toHex, utf8 } from '#core/encoding/bytes.ts'
import { random } from '#test/gateway/fresh.ts'
import { expectCode } from '#test/error-code.ts'
import { freshFolder, p, STORE_KEY } from '#test/gateway/link/world.ts'

const CARD = { device: 'monitor', suite: 1, udp: '192.0.2.1:5684', mqtt: '192.0.2.1:8883' } as const

describe('the store of sensors', () => {
  let folder: string
  let remove: () => Promise<void>

  beforeEach(async () => ({ path: folder, remove } = await freshFolder()))
  afterEach(async () => remove())

  const open = async (key = STORE_KEY): Promise<DeviceStore> =>
    openDeviceStore({ p, random }, { path: join(folder, 'sensors'), key })

  it('knows after a restart what was confirmed before it', async () => {
    const store = await open()
    const card = await store.provision(CARD)
    await store.confirm(card.handle, 7)
    await store.rotate('monitor')
    const again = await open()
    expect(again.find(card.handle)).to.include({ device: 'monitor', attempt: 7 })
    const next = again.sensors[0]?.next
    expect(next).not.to.equal(null)
    expect(again.find(next?.handle ?? card.handle)).to.include({ attempt: 7 })
    expect(await again.confirm(next?.handle ?? card.handle, 8)).to.deep.equal(card.handle)
    expect((await open()).find(card.handle)).to.equal(undefined)
  })

  it('has no secret in clear on the disk, and opens with its own key only', async () => {
    const store = await open()
    const card = await store.provision(CARD)
    const path = join(folder, 'sensors')
    const file = await readFile(path)
    for (const secret of [card.psk, card.handle, utf8('monitor')]) expect(file.includes(Buffer.from(secret))).to.equal(false)
    await expectCode('SENSORS_SEAL', async () => open(new Uint8Array(32)))
    for (const at of [0, 40, file.length - 1]) {
      const changed = Buffer.from(file)
      changed[at] = (changed[at] ?? 0) ^ 1
      await writeFile(path, changed)
      await expectCode('SENSORS_SEAL', async () => open())
    }
    await writeFile(path, file.subarray(0, 10))
    await expectCode('SENSORS_SEAL', async () => open())
  })

  it('logs what was made known and revoked by digests that tell nothing', async () => {
    const store = await open()
    await store.provision(CARD)
    const record = store.sensors[0]?.record ?? new Uint8Array()
    expect(store.registryRoot()).to.deep.equal(registryRoot(p, [record]))
    await store.revoke('monitor')
    expect(store.registryRoot()).to.deep.equal(registryRoot(p, [record, revocationDigest(p, record)]))
    await store.provision(CARD)
    expect(toHex(store.sensors[0]?.record ?? record)).not.to.equal(toHex(record))
  })

  it('refuses names, doubles and keys that do not fit', async () => {
    const store = await open()
    for (const device of ['', 'Monitor', 'a b', '-a', 'a'.repeat(33), 'monitor\n'])
      await expectCode('SENSOR_NAME', async () => store.provision({ ...CARD, device }))
    await expectCode('SENSOR_KEY', async () => store.provision({ ...CARD, suite: 2 }))
    await expectCode('SENSOR_KEY', async () => store.provision({ ...CARD, sensorKey: new Uint8Array(32) }))
    await store.provision(CARD)
    await expectCode('SENSOR_EXISTS', async () => store.provision(CARD))
    await expectCode('SENSOR_UNKNOWN', async () => store.revoke('other'))
    await expectCode('SENSOR_UNKNOWN', async () => store.rotate('other'))
  })

  it('keeps every one of many changes at once', async () => {
    const store = await open()
    await Promise.all(
      Array.from({ length: 40 }, async (_, i) => store.provision({ ...CARD, device: `device-${String(i)}` }))
    )
    expect((await open()).sensors.length).to.equal(40)
  })

  it('gives a code that fits one QR and brings the card back', async () => {
    const card = await (await open()).provision(CARD)
    const { text, qr } = sensorCode(p, card)
    expect(readSensorCode(p, text.toLowerCase())).to.deep.equal(card)
    expect(qr.length).to.equal(1)
    await expectCode('CODE_TEXT_KIND', () => readSensorCode(p, text.replace('SENSOR', 'ANSWER')))
    await expectCode('CODE_TEXT_MALFORMED', () => readSensorCode(p, text.slice(0, -1)))
  })
})

describe('a gateway’s P-256 key', () => {
  let folder: string
  let remove: () => Promise<void>

  beforeEach(async () => ({ path: folder, remove } = await freshFolder()))
  afterEach(async () => remove())

  it('signs from a file, the same key after a restart, always in the lower half', async () => {
    const path = join(folder, 'p256')
    const first = await openP256File(path)
    const again = await openP256File(path)
    expect(again.publicKey).to.deep.equal(first.publicKey)
    for (let i = 0; i < 8; i++) {
      const digest = random(32)
      const signature = again.sign(digest)
      expect(p256.verify(signature, digest, first.publicKey, { prehash: false, lowS: true })).to.equal(true)
    }
    await writeFile(path, 'no key')
    await expectCode('P256_KEY_FILE', async () => openP256File(path))
  })

  it('is refused by a code where there is no token, and by another where the token has no such key', async () => {
    const init = { library: 'none', slot: 0, pin: '', label: 'gateway' }
    await expectCode('PKCS11_ABSENT', async () => openP256Token(init))
    await expectCode('PKCS11_KEY', async () => openP256Token(init, () => Promise.resolve(token([]))))
  })

  it('signs from a token, whatever half the token likes', async () => {
    const secret = p256.utils.randomSecretKey()
    const point = p256.getPublicKey(secret, false)
    const init = { library: 'none', slot: 0, pin: '', label: 'gateway' }
    const key = await openP256Token(init, () =>
      Promise.resolve(token([Buffer.from(secret), Buffer.from([4, 65, ...point])]))
    )
    for (let i = 0; i < 16; i++) {
      const digest = random(32)
      const options = { prehash: false, lowS: true }
      expect(p256.verify(key.sign(digest), digest, key.publicKey, options)).to.equal(true)
    }
  })
})

/** A token that holds a secret and the point of its public key, or nothing. */
function token(objects: readonly Buffer[]): Pkcs11 {
  let wanted = 0
  return {
    load: () => undefined,
    C_Initialize: () => undefined,
    C_Finalize: () => undefined,
    C_GetSlotList: () => [Buffer.alloc(8)],
    C_OpenSession: () => Buffer.alloc(8),
    C_CloseSession: () => undefined,
    C_Login: () => undefined,
    C_FindObjectsInit: (_session, template) => void (wanted = template[0]?.value === 3 ? 0 : 1),
    C_FindObjects: () => objects[wanted] ?? null,
    C_FindObjectsFinal: () => undefined,
    C_GetAttributeValue: (_session, object) => [{ value: object }],
    C_SignInit: () => undefined,
    C_Sign: (_session, data) => Buffer.from(p256.sign(data, objects[0] ?? data, { prehash: false, lowS: false }))
  }
}
