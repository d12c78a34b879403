import { expect } from 'chai'
import { concat, fromHex } from '#core/encoding/bytes.ts'
import { decodeCanonical, encodeCanonical } from '#core/encoding/canonical.ts'
import {
  createDeviceState,
  decodeDeviceState,
  encodeDeviceState,
  rememberHead,
  rememberInstalled
} from '#core/firmware/device-state.ts'
import { device, head, manifestFor } from '#test/core/firmware/maker.ts'
import { expectCode } from '#test/error-code.ts'
import { survivesMutations } from '#test/mutations.ts'

describe('state of a device', () => {
  const state = rememberInstalled(rememberHead(device(), head()), manifestFor({ securityCounter: 5 }))
  const bytes = encodeDeviceState(state)

  it('comes back from its bytes, before and after an installation', () => {
    expect(decodeDeviceState(bytes)).to.deep.equal(state)
    expect(decodeDeviceState(encodeDeviceState(device()))).to.deep.equal(device())
  })

  it('never lowers what it has seen or installed', () => {
    const later = rememberHead(state, head({ blockNumber: 1, blockTimeS: 1, latest: 0 }))
    expect(later).to.deep.equal(state)
    const repeated = rememberInstalled(state, manifestFor({ sequence: 2, securityCounter: 0 }))
    expect(repeated.securityFloor).to.equal(5)
    expect(repeated.previous).to.deep.equal(state.installed)
  })

  it('is not made with keys of another model', async () => {
    await expectCode('FIRMWARE_BAD_KEYSET', () => createDeviceState({ ...device(), model: `0x${'01'.repeat(32)}` }))
  })

  it('refuses bytes that are cut, too long, doubled, followed by others or of another version', async () => {
    await expectCode('DEVICE_STATE_TRUNCATED', () => decodeDeviceState(bytes.subarray(0, 40)))
    await expectCode('DEVICE_STATE_OVERSIZE', () => decodeDeviceState(new Uint8Array(65_537)))
    await expectCode('DEVICE_STATE_DUPLICATE_KEY', () => decodeDeviceState(fromHex('a2617601617601')))
    await expectCode('DEVICE_STATE_TRAILING', () => decodeDeviceState(concat(bytes, bytes)))
    await expectCode('DEVICE_STATE_NOT_CANONICAL', () => decodeDeviceState(fromHex('a2617601616101')))
    await expectCode('DEVICE_STATE_MALFORMED', () => decodeDeviceState(fromHex('ff')))
    await expectCode('DEVICE_STATE_VERSION', () => decodeDeviceState(encodeCanonical({ v: 3 })))
    await expectCode('DEVICE_STATE_SHAPE', () => decodeDeviceState(encodeCanonical({ v: 2 })))
  })

  it('refuses a keyset that was changed on the disk', async () => {
    const map = decodeCanonical(bytes, { area: 'DEVICE_STATE', maxBytes: 65_536 }) as Record<string, object>
    const changed = encodeCanonical({ ...map, keys: { ...map['keys'], silenceDays: 30 } })
    await expectCode('FIRMWARE_BAD_KEYSET', () => decodeDeviceState(changed))
  })

  it('answers every mutation with a value or a code', async () => {
    await survivesMutations(bytes, { seed: 'device state', count: 5000 }, mutated => {
      expect(encodeDeviceState(decodeDeviceState(mutated))).to.deep.equal(mutated)
    })
  })
})
