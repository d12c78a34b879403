import { expect } from 'chai'
import { Interface, keccak256, type Log, type Result } from 'ethers'
import { firmwareRegistryAbi } from '#core/abi/FirmwareRegistry.ts'
import { createLogDecoder } from '#core/chain/events.ts'
import { projectEvents } from '#core/chain/projection.ts'
import { createChainView, type ChainView } from '#core/chain/view.ts'
import type { TestChain } from '#test/contracts/chain.ts'
import { firmwareFixture } from '#test/contracts/firmware-fixture.ts'
import {
  ACTIVE,
  HELD,
  MEDIUM,
  PUBLISHED,
  STAGED,
  SUPERSEDED,
  YANKED,
  accounts,
  contentsOf,
  keysetsOf,
  makerOf,
  structOf,
  type FirmwareDesk
} from '#test/contracts/firmware-requests.ts'
import { seededRandom } from '#test/seeded-random.ts'

const DAYS = 86_400
const registry = new Interface(firmwareRegistryAbi)

/** A release as its logs tell it. */
interface Told {
  contents: string
  securityCounter: bigint
  kind: bigint
  notBefore: bigint
  heldUntil: bigint
  revision: bigint
  round: bigint
  keysetVersion: bigint
  live: boolean
  yanked: boolean
}

describe('FirmwareRegistry: its logs', () => {
  let chain: TestChain
  let desk: FirmwareDesk
  firmwareFixture(async (opened, its) => {
    ;[chain, desk] = [opened, its]
    await desk.registerModel(MEDIUM, 16_384)
  })

  const logs = async (): Promise<Log[]> =>
    chain.provider.getLogs({ address: chain.deployment.contracts.FirmwareRegistry.address, fromBlock: 0 })
  const timeOf = async (block: number): Promise<number> => (await chain.provider.getBlock(block))?.timestamp ?? 0

  /** The head and the releases, from logs alone. */
  async function rebuilt(
    nowS: number
  ): Promise<{ head: Record<string, unknown>; releases: Record<string, unknown>[] }> {
    let word = { latest: 0n, active: 0n, staged: 0n, rolloutBps: 0n, minimum: 0n, securityFloor: 0n, keysetVersion: 0n }
    let [publishedAt, riskClass, slotMiB, isSunset] = [0n, 0n, 0n, false]
    const told = new Map<bigint, Told>()
    const change = (sequence: bigint, fields: Partial<Told>): void => {
      const release = told.get(sequence)
      if (release != null) Object.assign(release, fields)
    }
    const next = (sequence: bigint): bigint => (told.get(sequence)?.revision ?? 0n) + 1n
    for (const log of await logs()) {
      const event = registry.parseLog(log)
      if (event == null) continue
      const args: Result = event.args
      const sequence = event.fragment.inputs.some(({ name }) => name === 'sequence') ? (args['sequence'] as bigint) : 0n
      switch (event.name) {
        case 'ModelRegistered':
          ;[riskClass, slotMiB] = [args['riskClass'] as bigint, args['slotMiB'] as bigint]
          break
        case 'ReleasePublished': {
          const [securityCounter, keysetVersion] = [args['securityCounter'] as bigint, args['keysetVersion'] as bigint]
          word = { ...word, latest: sequence, securityFloor: securityCounter, keysetVersion }
          publishedAt = BigInt(await timeOf(log.blockNumber))
          told.set(sequence, {
            contents: contentsOf(keccak256(args['manifest'] as string), args['imageSha256'] as string),
            securityCounter,
            kind: args['kind'] as bigint,
            notBefore: args['notBefore'] as bigint,
            heldUntil: 0n,
            revision: 0n,
            round: 0n,
            keysetVersion,
            live: false,
            yanked: false
          })
          break
        }
        case 'ReleaseHeld':
        case 'ReleaseUnheld':
          change(sequence, { heldUntil: args['heldUntil'] as bigint, revision: next(sequence) })
          if (event.name === 'ReleaseUnheld') change(sequence, { round: (told.get(sequence)?.round ?? 0n) + 1n })
          break
        case 'ReleaseYanked':
          change(sequence, { yanked: true, live: false })
          break
        case 'RolloutChanged': {
          const bps = args['bps'] as bigint
          const isYanked = told.get(sequence)?.yanked === true
          if (sequence === word.staged && bps < word.rolloutBps && !isYanked)
            change(sequence, { revision: next(sequence) })
          const staged = bps < 10_000n && !isYanked ? sequence : 0n
          word = { ...word, staged, rolloutBps: staged === 0n ? 0n : bps }
          break
        }
        case 'ActiveChanged':
          if (sequence < word.active) change(word.active, { live: false })
          else change(sequence, { live: true })
          word = { ...word, active: sequence }
          break
        case 'MinimumRaised':
          word = { ...word, minimum: args['minimumSequence'] as bigint }
          break
        case 'ModelSunset':
          isSunset = true
          break
        default:
      }
    }
    const isHeld = (sequence: bigint): boolean => BigInt(nowS) < (told.get(sequence)?.heldUntil ?? 0n)
    const statusOf = (sequence: bigint, { yanked, securityCounter }: Told): bigint => {
      if (yanked) return YANKED
      if (isHeld(sequence)) return HELD
      if (sequence === word.staged) return STAGED
      if (sequence === word.active) return ACTIVE
      if (sequence < word.active || sequence < word.staged) return SUPERSEDED
      return sequence < word.minimum || securityCounter < word.securityFloor ? SUPERSEDED : PUBLISHED
    }
    const releases = Array.from(told, ([sequence, release]) => {
      const { contents, securityCounter, kind, notBefore, heldUntil, revision, round, keysetVersion } = release
      const status = statusOf(sequence, release)
      return { contents, status, securityCounter, kind, notBefore, heldUntil, revision, round, keysetVersion }
    })
    let { active, staged, rolloutBps } = word
    while (active > 0n && (isHeld(active) || told.get(active)?.live !== true || active < word.minimum)) active--
    if ((told.get(active)?.securityCounter ?? 0n) < (told.get(word.active)?.securityCounter ?? 0n)) active = 0n
    if (isHeld(staged)) [staged, rolloutBps] = [0n, 0n]
    return { head: { ...word, active, staged, rolloutBps, publishedAt, riskClass, slotMiB, isSunset }, releases }
  }

  /** What a node that follows the chain makes of the same logs. */
  async function followed(nowS: number): Promise<ChainView> {
    const rows = new Map<string, string>()
    const decode = createLogDecoder(chain.deployment)
    const events = (await logs()).flatMap(log => decode(log) ?? [])
    for (const { key, value } of projectEvents({ get: key => rows.get(key) }, events, 1)) {
      if (value != null) rows.set(key, value)
    }
    return createChainView({ get: key => rows.get(key) }, { blockNumber: 1, blockTimeS: nowS })
  }

  async function compare(what: string): Promise<void> {
    const { firmware, model } = desk
    const nowS = await chain.now()
    const { head, releases } = await rebuilt(nowS)
    const onChain = (await firmware.headOf(model)) as unknown as Result
    expect(head, what).to.deep.equal(onChain.toObject())
    const view = await followed(nowS)
    const record = view.model(model)
    for (const field of ['latest', 'active', 'staged', 'rolloutBps', 'minimum'] as const) {
      expect(record?.[field], `${what}: ${field}`).to.equal(Number(onChain.getValue(field)))
    }
    for (const [index, release] of releases.entries()) {
      const there = (await firmware.releaseOf(model, index + 1)) as unknown as Result
      expect(release, `${what}: release ${String(index + 1)}`).to.deep.equal(there.toObject())
      const isHeld = (view.release(model, index + 1)?.heldUntilS ?? 0) > nowS
      const isYanked = view.release(model, index + 1)?.yanked
      const status = there.getValue('status') as bigint
      if (status !== YANKED) expect(isHeld, what).to.equal(status === HELD)
      expect(isYanked, what).to.equal(status === YANKED)
    }
  }

  it('tell head and releases as the contract has them, also after yanks below a hold', async () => {
    for (const sequence of [1, 2, 3]) await desk.publish(await desk.terms(sequence))
    await chain.moveTo((await chain.now()) + 2 * DAYS)
    for (const sequence of [1, 2, 3]) {
      await desk.activate(sequence)
      await desk.raiseRollout(sequence, 10_000)
    }
    await desk.yank([2])
    await desk.hold(3)
    await compare('2 yanked, 3 held')
    expect((await desk.firmware.headOf(desk.model)).active).to.equal(1n)
  })

  it('tell that nothing takes the place of one that closed a hole, held or yanked', async () => {
    const counters = [1, 2, 2]
    for (const [index, securityCounter] of counters.entries()) {
      await desk.publish(await desk.terms(index + 1, { securityCounter }))
      await chain.moveTo((await chain.now()) + 2 * DAYS)
      await desk.activate(index + 1)
      await desk.raiseRollout(index + 1, 10_000)
    }
    const activeAfter = async (what: string): Promise<bigint> => {
      await compare(what)
      return (await desk.firmware.headOf(desk.model)).active
    }
    await desk.hold(3)
    expect(await activeAfter('3 held')).to.equal(2n)
    await desk.hold(2)
    expect(await activeAfter('2 and 3 held')).to.equal(0n)
    await desk.yank([3])
    expect(await activeAfter('2 held, 3 yanked')).to.equal(0n)
    await desk.yank([2])
    expect(await activeAfter('2 and 3 yanked')).to.equal(0n)
  })

  it('tell a rollout cut to nobody from one that ended', async () => {
    await desk.publish(await desk.terms(1))
    await chain.moveTo((await chain.now()) + 2 * DAYS)
    await desk.activate(1)
    await desk.cutRollout(1, 0)
    await compare('cut to nobody')
    await desk.yank([1])
    await compare('yanked')
  })

  it('tell them after any steps', async function () {
    this.timeout(60_000)
    const random = seededRandom('logs')
    const pick = (count: number): number => (random(1)[0] ?? 0) % count
    let [latest, counter] = [0, 1]
    let [active, falls] = [0n, 0]
    const done = new Map<string, number>()
    const staged = async (): Promise<number> => Number((await desk.firmware.headOf(desk.model)).staged)
    const steps: Record<string, (sequence: number) => Promise<unknown>> = {
      publish: async () => {
        // Now and then one that closes a hole, so that some fall back to what came before and others do not.
        const securityCounter = pick(4) === 0 ? counter + 1 : counter
        await desk.publish(await desk.terms(latest + 1, { kind: pick(2), securityCounter }))
        ;[latest, counter] = [latest + 1, securityCounter]
      },
      activate: sequence => desk.activate(sequence),
      finish: async () => {
        await chain.moveTo((await chain.now()) + 2 * DAYS)
        await desk.activate(latest)
        await desk.raiseRollout(latest, 10_000)
      },
      raise: async () => desk.raiseRollout(await staged(), 2000 + pick(3) * 1000),
      toAll: async () => desk.raiseRollout(await staged(), 10_000),
      cut: async () => desk.cutRollout(await staged(), pick(2) * 10),
      hold: sequence => desk.hold(sequence),
      confirm: sequence => desk.confirmHold(sequence),
      unhold: sequence => desk.unhold(sequence),
      yank: sequence => desk.yank([sequence]),
      minimum: async () => desk.raiseMinimum(Number((await desk.firmware.headOf(desk.model)).active)),
      wait: async () => chain.moveTo((await chain.now()) + (1 + pick(20)) * 36_000)
    }
    const often = [
      'publish',
      'publish',
      'finish',
      'finish',
      'activate',
      'raise',
      'toAll',
      'wait',
      'hold',
      'confirm',
      'confirm',
      'unhold',
      'minimum'
    ]
    const names = [...Object.keys(steps), ...often]
    for (let i = 0; i < 180; i++) {
      const name = names[pick(names.length)] ?? ''
      // Mostly about what is new.
      const sequence = Math.max(1, latest - pick(4))
      const isDone = await (steps[name]?.(sequence) ?? Promise.reject(new Error(name))).then(
        () => true,
        () => false
      )
      if (!isDone) continue
      done.set(name, (done.get(name) ?? 0) + 1)
      await compare(`step ${String(i)}: ${name} ${String(sequence)}`)
      const before = active
      active = (await desk.firmware.headOf(desk.model)).active
      if (active > 0n && active < before) falls++
    }
    expect(done.size).to.be.at.least(8)
    expect(falls, 'an older one took the place of a newer one').to.be.at.least(2)
    const next = makerOf({ release: { threshold: 2, keys: accounts('fresh', 2) } })
    await desk.propose(next)
    await chain.moveTo((await chain.now()) + 3 * DAYS)
    await desk.firmware.completeRotation(desk.manufacturer, structOf(keysetsOf(next)))
    await desk.sunset(latest, { threshold: 1, keys: accounts('last', 1) })
    await compare('sunset')
  })
})
