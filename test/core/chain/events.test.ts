import { expect } from 'chai'
import { Interface, type InterfaceAbi, type ParamType } from 'ethers'
import fc from 'fast-check'
import { accessGrantsAbi } from '#core/abi/AccessGrants.ts'
import { batchAnchorsAbi } from '#core/abi/BatchAnchors.ts'
import { credentialRegistryAbi } from '#core/abi/CredentialRegistry.ts'
import { emergencyAccessAbi } from '#core/abi/EmergencyAccess.ts'
import { firmwareRegistryAbi } from '#core/abi/FirmwareRegistry.ts'
import { nodeRegistryAbi } from '#core/abi/NodeRegistry.ts'
import type { RequestContract } from '#core/chain/contract-names.ts'
import { createLogDecoder, type ChainLog } from '#core/chain/events.ts'
import { createStaticReader } from '#core/chain/static-events.ts'
import { expectCode } from '#test/error-code.ts'
import { paperDeployment } from '#test/core/network/accept-world.ts'

const ABIS: Readonly<Partial<Record<RequestContract, InterfaceAbi>>> = {
  AccessGrants: accessGrantsAbi,
  BatchAnchors: batchAnchorsAbi,
  CredentialRegistry: credentialRegistryAbi,
  EmergencyAccess: emergencyAccessAbi,
  FirmwareRegistry: firmwareRegistryAbi,
  NodeRegistry: nodeRegistryAbi
}

/** What says nothing about a record that the index keeps. */
const IGNORED = [
  ...['GrantBatchOpened', 'AccessRequested', 'SuperRooted'],
  'OrganisationSignerRotated',
  ...['CredentialRevoked', 'EmergencyPolicySet', 'ResponderBlocked', 'ResponderBlockLifted', 'LimitsChanged'],
  'EIP712DomainChanged',
  'AuthorityUpdated',
  'Paused',
  'Unpaused',
  'Heartbeat',
  'SunsetProposed',
  'SunsetCancelled',
  'ModelSunset',
  'ImageYanked',
  'DeviceKeysSet',
  'BreakerTripped',
  'AttestorAdded',
  'AttestorRemoved',
  'ReportAnchored',
  'AdvisoryAdded',
  'RebuildAdded'
]

/** What the decoder gives of events that it does not give as they are. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  OrganisationAccredited: ['organisation'],
  NodeListed: ['organisation', 'node', 'peerKey', 'pledgedBytes', 'validUntil', 'nodeProof'],
  NodePledgeChanged: ['organisation', 'node', 'pledgedBytes'],
  GuardiansSet: ['patient'],
  GlassBroken: ['patient', 'emergency', 'credential', 'secondCredential', 'salt', 'reason', 'expiresAt'],
  EmergencyEnded: ['emergency'],
  EmergencyDisputed: ['emergency'],
  EmergencyReviewed: ['emergency', 'outcome'],
  CredentialIssued: ['credential', 'terms'],
  ManufacturerRegistered: ['manufacturer', 'releaseSigners', 'threshold', 'guards'],
  RotationProposed: ['manufacturer', 'releaseSigners', 'threshold', 'guards'],
  KeysetsRotated: ['manufacturer'],
  ModelRegistered: ['manufacturer', 'model', 'modelClass'],
  ReleasePublished: ['model', 'sequence', 'imageSha256', 'securityCounter', 'sizeBytes', 'manifestDigest', 'manifest'],
  MinimumRaised: ['model', 'minimumSequence']
}

const SAMPLES: Readonly<Record<string, unknown>> = {
  'bytes[]': ['0x01', '0x02'],
  bytes: '0x0102',
  bytes32: `0x${'ab'.repeat(32)}`,
  address: `0x${'cd'.repeat(20)}`
}

/** A value of a parameter, whatever its type. */
function sampleOf(parameter: ParamType): unknown {
  return parameter.components?.map(sampleOf) ?? SAMPLES[parameter.type] ?? 7
}

describe('the decoder of events', () => {
  const deployment = paperDeployment()
  const decode = createLogDecoder(deployment)

  function logOf(contract: RequestContract, name: string): ChainLog {
    const abi = new Interface(ABIS[contract] ?? [])
    const values = abi.getEvent(name)?.inputs.map(sampleOf) ?? []
    return { address: deployment.contracts[contract].address, ...abi.encodeEventLog(name, values) }
  }

  for (const [contract, abi] of Object.entries(ABIS) as [RequestContract, InterfaceAbi][]) {
    it(`reads every event of ${contract}`, () => {
      new Interface(abi).forEachEvent(({ name, inputs }) => {
        if (IGNORED.includes(name)) return
        const decoded = decode(logOf(contract, name))
        expect(decoded, name).to.have.all.keys('name', ...(FIELDS[name] ?? inputs.map(input => input.name)))
      })
    })
  }

  it('reads simple events as a full decoder does, and refuses every shorter one', () => {
    const valueOf = ({ type }: ParamType): fc.Arbitrary<unknown> => {
      const bits = Number(/^uint(\d+)$/.exec(type)?.[1] ?? 0)
      if (bits > 0) return fc.bigInt({ min: 0n, max: (1n << BigInt(bits)) - 1n })
      const lengths: Readonly<Record<string, number>> = { bytes32: 32, address: 20 }
      const length = lengths[type]
      const bounds = length == null ? { maxLength: 70 } : { minLength: length, maxLength: length }
      return fc.uint8Array(bounds).map(one => `0x${Buffer.from(one).toString('hex')}`)
    }
    let simple = 0
    for (const abi of Object.values(ABIS)) {
      const full = new Interface(abi)
      full.forEachEvent(event => {
        const read = createStaticReader(event.inputs)
        if (read == null) return
        simple++
        fc.assert(
          fc.property(fc.tuple(...event.inputs.map(valueOf)), values => {
            const log = full.encodeEventLog(event, values)
            const expected = full.parseLog(log)?.args.toObject() ?? {}
            const lower = (value: unknown): unknown => (typeof value === 'string' ? value.toLowerCase() : value)
            for (const [name, value] of Object.entries(read(log))) expect(lower(expected[name])).to.equal(value)
            if (event.inputs.some(({ indexed }) => indexed !== true)) {
              expect(() => read({ ...log, data: log.data.slice(0, -64) })).to.throw()
            }
            expect(() => read({ ...log, topics: log.topics.slice(1) })).to.throw()
          }),
          { numRuns: 20 }
        )
      })
    }
    expect(simple).to.be.greaterThan(40)
  })

  it('passes over other contracts and unknown events', () => {
    const log = logOf('AccessGrants', 'Revoked')
    expect(decode({ ...log, address: `0x${'99'.repeat(20)}` })).to.equal(undefined)
    expect(decode({ ...log, topics: [`0x${'99'.repeat(32)}`] })).to.equal(undefined)
  })

  it('refuses a log that its contract cannot have written', async () => {
    const log = logOf('AccessGrants', 'Granted')
    await expectCode('CHAIN_LOG_MALFORMED', () => decode({ ...log, data: '0x01' }))
    const revoked = logOf('AccessGrants', 'Revoked')
    await expectCode('CHAIN_LOG_MALFORMED', () => decode({ ...revoked, topics: revoked.topics.slice(0, 2) }))
  })
})
