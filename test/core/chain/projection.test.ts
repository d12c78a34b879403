import { expect } from 'chai'
import fc from 'fast-check'
import type { ChainEvent, Hex } from '#core/chain/events.ts'
import { MAX_PAST_KEY_BUNDLES } from '#core/chain/project-care.ts'
import { projectEvents, undoOf } from '#core/chain/projection.ts'
import type { Change, StateView } from '#core/chain/records.ts'
import { createChainView } from '#core/chain/view.ts'

const id = (n: number): Hex => `0x${n.toString(16).padStart(64, '0')}`

/** A state in a map. */
function paperState(): { rows: Map<string, string>; state: StateView; write: (changes: readonly Change[]) => void } {
  const rows = new Map<string, string>()
  return {
    rows,
    state: { get: key => rows.get(key) },
    write(changes) {
      for (const { key, value } of changes) {
        if (value == null) rows.delete(key)
        else rows.set(key, value)
      }
    }
  }
}

const few = fc.integer({ min: 1, max: 3 }).map(id)
const small = fc.integer({ min: 1, max: 4 })

/** Events about few things, so that they meet. */
const event: fc.Arbitrary<ChainEvent> = fc.oneof(
  fc.record({ name: fc.constant('PatientRegistered' as const), patient: few, signer: few, keyBundle: few }),
  fc.record({ name: fc.constant('KeyBundleUpdated' as const), patient: few, keyBundle: few }),
  fc.record({ name: fc.constant('SignerRotated' as const), patient: few, newSigner: few, epoch: small }),
  fc.record({ name: fc.constantFrom('GuardiansSet' as const, 'RecoveryVetoed' as const), patient: few }),
  fc.record({
    name: fc.constant('RecoveryOpened' as const),
    patient: few,
    newSigner: few,
    readyAt: small,
    expiresAt: small
  }),
  fc.record({
    name: fc.constant('GlassBroken' as const),
    patient: few,
    emergency: few,
    credential: few,
    secondCredential: few,
    salt: few,
    reason: few,
    expiresAt: small
  }),
  fc.record({ name: fc.constant('EmergencyEnded' as const), emergency: few }),
  fc.record({
    name: fc.constant('CredentialIssued' as const),
    credential: few,
    terms: fc.bigInt({ min: 2n, max: 99n })
  }),
  fc.record({
    name: fc.constant('Granted' as const),
    patient: few,
    grantId: few,
    terms: fc.bigInt({ min: 2n, max: 2n ** 256n - 1n })
  }),
  fc.record({ name: fc.constant('Revoked' as const), patient: few, grantId: few }),
  fc.record({ name: fc.constant('Claimed' as const), grantId: few, usesLeft: small }),
  fc.record({ name: fc.constant('GatewayRegistered' as const), gateway: few, signer: few, certificate: few }),
  fc.record({
    name: fc.constant('Anchored' as const),
    gateway: few,
    sequence: small,
    treeSize: small,
    root: few
  }),
  fc.record({ name: fc.constant('GatewayRotated' as const), gateway: few, newSigner: few, certificate: few }),
  fc.record({ name: fc.constant('GatewayRetired' as const), gateway: few }),
  fc.record({ name: fc.constant('ModelRegistered' as const), manufacturer: few, model: few, modelClass: few }),
  fc.record({
    name: fc.constant('ReleasePublished' as const),
    model: few,
    sequence: small,
    imageSha256: few,
    securityCounter: small,
    sizeBytes: small,
    manifestDigest: few,
    manifest: few
  }),
  fc.record({
    name: fc.constantFrom('ReleaseHeld' as const, 'ReleaseUnheld' as const),
    model: few,
    sequence: small,
    reason: small,
    heldUntil: small
  }),
  fc.record({
    name: fc.constantFrom('ReleaseYanked' as const, 'ActiveChanged' as const),
    model: few,
    sequence: small
  }),
  fc.record({ name: fc.constant('ImageYanked' as const), model: few, imageSha256: few }),
  fc.record({ name: fc.constant('RolloutChanged' as const), model: few, sequence: small, bps: small }),
  fc.record({
    name: fc.constantFrom('ManufacturerRegistered' as const, 'RotationProposed' as const),
    manufacturer: few,
    releaseSigners: fc.array(few),
    threshold: small,
    guards: fc.array(few)
  }),
  fc.record({
    name: fc.constantFrom('RotationCancelled' as const, 'KeysetsRotated' as const),
    manufacturer: few
  }),
  fc.record({ name: fc.constant('MinimumRaised' as const), model: few, minimumSequence: small })
)

describe('the projection of the chain', () => {
  it('is undone exactly, block by block', () => {
    fc.assert(
      fc.property(fc.array(fc.array(event, { maxLength: 6 }), { maxLength: 12 }), blocks => {
        const { rows, state, write } = paperState()
        const journal: { before: Map<string, string>; undo: Change[] }[] = []
        for (const [i, events] of blocks.entries()) {
          const changes = projectEvents(state, events, 1_000 + i)
          journal.push({ before: new Map(rows), undo: undoOf(state, changes) })
          write(changes)
        }
        for (const { before, undo } of journal.reverse()) {
          write(undo)
          expect(rows).to.deep.equal(before)
        }
      })
    )
  })

  it('says the same however events are cut into blocks of one time', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 20 }), fc.nat(20), (events, cut) => {
        const whole = paperState()
        whole.write(projectEvents(whole.state, events, 7))
        const parts = paperState()
        parts.write(projectEvents(parts.state, events.slice(0, cut), 7))
        parts.write(projectEvents(parts.state, events.slice(cut), 7))
        expect(parts.rows).to.deep.equal(whole.rows)
      })
    )
  })

  it('completes a recovery that was ready, neither voided nor over, and no other', () => {
    const opened = { name: 'RecoveryOpened' as const, patient: id(1), newSigner: id(7), readyAt: 50, expiresAt: 80 }
    const rotated = { name: 'SignerRotated' as const, patient: id(1), newSigner: id(7), epoch: 1 }
    const voids: ChainEvent[] = [
      { name: 'RecoveryVetoed', patient: id(1) },
      { name: 'GuardiansSet', patient: id(1) },
      { name: 'KeyBundleUpdated', patient: id(1), keyBundle: id(9) },
      { name: 'SignerRotated', patient: id(1), newSigner: id(8), epoch: 1 }
    ]
    const after = (timeS: number, ...events: ChainEvent[]) => {
      const { state, write } = paperState()
      write(projectEvents(state, [opened, ...events, rotated], timeS))
      return createChainView(state, { blockNumber: 1, blockTimeS: timeS }).recovery(id(1))
    }
    expect(after(50)).to.include({ state: 'completed', completedAtS: 50 })
    expect(after(79)).to.include({ state: 'completed', completedAtS: 79 })
    expect(after(49)).to.include({ state: 'void', completedAtS: null })
    expect(after(80)).to.include({ state: 'void', completedAtS: null })
    for (const event of voids) expect(after(50, event), event.name).to.include({ state: 'void', completedAtS: null })
  })

  it('ends an emergency early, never late', () => {
    const { state, write } = paperState()
    const [patient, emergency, credential] = [id(1), id(2), id(3)]
    const broken = {
      name: 'GlassBroken' as const,
      patient,
      emergency,
      credential,
      secondCredential: id(0),
      salt: id(4),
      reason: id(5),
      expiresAt: 90
    }
    write(projectEvents(state, [broken, { name: 'CredentialIssued', credential, terms: (9n << 160n) | 5n }], 10))
    const view = (): ReturnType<typeof createChainView> => createChainView(state, { blockNumber: 1, blockTimeS: 10 })
    expect(view().emergency(emergency)).to.include({ patient, beganAtS: 10, expiresAtS: 90 })
    expect(view().credential(credential)).to.deep.equal({ holder: `0x${'00'.repeat(19)}05` })
    write(projectEvents(state, [{ name: 'EmergencyEnded', emergency }], 40))
    expect(view().emergency(emergency)).to.include({ expiresAtS: 40 })
    write(projectEvents(state, [{ name: 'EmergencyEnded', emergency }], 99))
    expect(view().emergency(emergency)).to.include({ expiresAtS: 40 })
  })

  it('keeps the tombstone of a grant that was never opened', () => {
    const { state, write } = paperState()
    write(projectEvents(state, [{ name: 'Revoked', patient: id(1), grantId: id(2) }], 99))
    const view = createChainView(state, { blockNumber: 1, blockTimeS: 99 })
    expect(view.grant(id(2))).to.include({ patient: id(1), terms: 0n, usesLeft: 0, revokedAtS: 99 })
    // No honest chain says so; a lying endpoint may.
    write(projectEvents(state, [{ name: 'Granted', patient: id(1), grantId: id(2), terms: 3n << 248n }], 100))
    expect(createChainView(state, { blockNumber: 2, blockTimeS: 100 }).grant(id(2))?.revokedAtS).to.equal(99)
  })

  it('keeps a gateway and a peer retired, whatever is said of them again', () => {
    const { state, write } = paperState()
    const registered = { name: 'GatewayRegistered' as const, gateway: id(1), signer: id(2), certificate: id(3) }
    const listing = { pledgedBytes: 1n, validUntil: 9, revision: 1, nodeProof: id(4) }
    const listed = { name: 'NodeListed' as const, organisation: id(5), node: id(6), peerKey: id(7), ...listing }
    write(projectEvents(state, [registered, listed], 1))
    const retired = { organisation: id(5), node: id(6), revision: 2 }
    write(
      projectEvents(
        state,
        [
          { name: 'GatewayRetired', gateway: id(1) },
          { name: 'NodeRetired', ...retired }
        ],
        2
      )
    )
    write(projectEvents(state, [registered, listed], 3))
    const view = createChainView(state, { blockNumber: 3, blockTimeS: 3 })
    expect(view.gateway(id(1))?.isRetired).to.equal(true)
    expect(view.node(id(6))?.listings.map(({ isRetired }) => isRetired)).to.deep.equal([true])
  })

  it('remembers when a grant was claimed', () => {
    const { state, write } = paperState()
    const terms = 3n << 248n
    write(projectEvents(state, [{ name: 'Granted', patient: id(1), grantId: id(2), terms }], 5))
    for (const [usesLeft, atS] of [
      [2, 6],
      [1, 9]
    ] as const) {
      write(projectEvents(state, [{ name: 'Claimed', grantId: id(2), usesLeft }], atS))
    }
    const grant = createChainView(state, { blockNumber: 1, blockTimeS: 9 }).grant(id(2))
    expect(grant).to.deep.include({ usesLeft: 1, claimsS: [6, 9] })
  })

  it('remembers earlier key bundles, and not too many', () => {
    const { state, write } = paperState()
    write(projectEvents(state, [{ name: 'PatientRegistered', patient: id(1), signer: '0x', keyBundle: id(0) }], 1))
    for (let n = 1; n <= MAX_PAST_KEY_BUNDLES + 5; n++) {
      write(projectEvents(state, [{ name: 'KeyBundleUpdated', patient: id(1), keyBundle: id(n) }], 1))
    }
    const patient = createChainView(state, { blockNumber: 1, blockTimeS: 1 }).patient(id(1))
    expect(patient?.keyBundle).to.equal(id(MAX_PAST_KEY_BUNDLES + 5))
    expect(patient?.pastKeyBundles).to.have.length(MAX_PAST_KEY_BUNDLES)
    expect(patient?.pastKeyBundles[0]).to.deep.equal({ digest: id(MAX_PAST_KEY_BUNDLES + 4), untilS: 1 })
  })

  it('follows a gateway to its new signer, and to its end', () => {
    const { state, write } = paperState()
    const gateway = id(1)
    write(projectEvents(state, [{ name: 'GatewayRegistered', gateway, signer: '0x01', certificate: id(2) }], 1))
    write(projectEvents(state, [{ name: 'Anchored', gateway, sequence: 1, treeSize: 8, root: id(3) }], 2))
    write(projectEvents(state, [{ name: 'GatewayRotated', gateway, newSigner: '0x02', certificate: id(4) }], 3))
    const view = createChainView(state, { blockNumber: 1, blockTimeS: 3 })
    const rotated = { signer: '0x02', certificate: id(4), sequence: 1, treeSize: 8, root: id(3), anchoredAtS: 2 }
    expect(view.gateway(gateway)).to.deep.equal({ ...rotated, isRetired: false })
    write(projectEvents(state, [{ name: 'GatewayRetired', gateway }], 4))
    expect(view.gateway(gateway)).to.deep.equal({ ...rotated, isRetired: true })
  })

  it('finds the active release: the newest that is neither held, yanked nor too old', () => {
    const { state, write } = paperState()
    const model = id(5)
    const add = (...events: ChainEvent[]): void => write(projectEvents(state, events, 1))
    const active = (): number | undefined =>
      createChainView(state, { blockNumber: 1, blockTimeS: 1 }).model(model)?.active
    const release = {
      name: 'ReleasePublished',
      model,
      securityCounter: 1,
      sizeBytes: 1,
      manifestDigest: id(1),
      manifest: '0x'
    } as const
    add({ name: 'ModelRegistered', manufacturer: id(4), model, modelClass: id(6) })
    expect(active()).to.equal(0)
    const start = (sequence: number): void => {
      add({ ...release, sequence, imageSha256: id(sequence) })
      add({ name: 'RolloutChanged', model, sequence, bps: 10_000 }, { name: 'ActiveChanged', model, sequence })
    }
    for (const sequence of [1, 2, 3]) start(sequence)
    expect(active()).to.equal(3)
    add({ name: 'ReleaseHeld', model, sequence: 3, reason: 1, heldUntil: 100 })
    expect(active()).to.equal(2)
    add({ name: 'ReleaseYanked', model, sequence: 2 })
    add({ name: 'ReleaseUnheld', model, sequence: 3, reason: 0, heldUntil: 1 })
    expect(active()).to.equal(3)
    add({ name: 'ReleaseYanked', model, sequence: 3 }, { name: 'ActiveChanged', model, sequence: 1 })
    expect(active()).to.equal(1)
    start(4)
    add({ name: 'MinimumRaised', model, minimumSequence: 4 })
    add({ name: 'ReleaseHeld', model, sequence: 4, reason: 1, heldUntil: 100 })
    expect(active()).to.equal(0)
  })

  it('shows a staged release and its share, unless it is held', () => {
    const { state, write } = paperState()
    const model = id(5)
    const add = (...events: ChainEvent[]): void => write(projectEvents(state, events, 1))
    const staged = (): unknown[] => {
      const record = createChainView(state, { blockNumber: 1, blockTimeS: 1 }).model(model)
      return [record?.staged, record?.rolloutBps]
    }
    const counters = { securityCounter: 1, sizeBytes: 1, manifestDigest: id(1), manifest: '0x' } as const
    add({ name: 'ModelRegistered', manufacturer: id(4), model, modelClass: id(6) })
    add({ name: 'ReleasePublished', model, sequence: 1, imageSha256: id(1), ...counters })
    add({ name: 'RolloutChanged', model, sequence: 1, bps: 500 })
    expect(staged()).to.deep.equal([1, 500])
    add({ name: 'ReleaseHeld', model, sequence: 1, reason: 1, heldUntil: 100 })
    expect(staged()).to.deep.equal([0, 0])
  })

  it('takes over proposed keys when they come in force, and none that were cancelled', () => {
    const { state, write } = paperState()
    const manufacturer = id(1)
    const add = (event: ChainEvent): void => write(projectEvents(state, [event], 1))
    const signers = (): unknown =>
      createChainView(state, { blockNumber: 1, blockTimeS: 1 }).manufacturer(manufacturer)?.releaseSigners
    const keys = (signer: number) => ({ releaseSigners: [id(signer)], threshold: 1, guards: [] })
    add({ name: 'ManufacturerRegistered', manufacturer, ...keys(1) })
    add({ name: 'RotationProposed', manufacturer, ...keys(2) })
    add({ name: 'RotationCancelled', manufacturer })
    add({ name: 'KeysetsRotated', manufacturer })
    expect(signers()).to.deep.equal([id(1)])
    add({ name: 'RotationProposed', manufacturer, ...keys(3) })
    add({ name: 'KeysetsRotated', manufacturer })
    expect(signers()).to.deep.equal([id(3)])
  })
})
