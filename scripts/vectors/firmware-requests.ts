import { id } from 'ethers'
import * as firmware from '#core/abi/typed-data/firmware.ts'
import type { TypedDataTypes } from '#core/abi/typed-data/domain.ts'
import { requestVectors, type RequestSample } from '#scripts/vectors/request-vectors.ts'

const REGISTRY = '0xCf7Ed3AccA5a467e9e704C703E8D87F634fB0Fc9'
const SIGNER = '0x9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f'
const IMAGE_SHA256 = '0x2aa0b805a7af50b306ced716ac3a02fb69578daaa9ee6a028aea9623b9dbfa8d'
const MANIFEST_DIGEST = '0xbf69d6e1213d89cd16a2741e3da928a1bc2323e79e5fe626cc528a079998fe9d'
const DOCUMENT_DIGEST = '0x44bf0eeda032843817df0188b1ce499137f4d1e41c634f239361a0bb123dbff7'
const MODEL_CLASS = '0xe80b5d5d9ada8f41a6238d0ceb1f955f6616f8e6fceea1cc1ce2e34164583f1d'

const [manufacturer, model, keysets, stewards, root] = ['manufacturer', 'model', 'keysets', 'stewards', 'root'].map(id)
/** What requests about one release share. */
const ABOUT = { model, sequence: 9 }

const SAMPLES: readonly (readonly [TypedDataTypes, Record<string, unknown>])[] = [
  [
    firmware.advisoryTypes,
    {
      model,
      fromSequence: 1,
      toSequence: 9,
      vulnerability: id('vulnerability'),
      impact: 1,
      documentDigest: DOCUMENT_DIGEST
    }
  ],
  [firmware.attestorAdditionTypes, { model, signer: SIGNER }],
  [firmware.attestorRemovalTypes, { model, attestor: SIGNER }],
  [firmware.deviceKeysTypes, { model, root, devices: 1000, version: 1 }],
  [firmware.failureTypes, { ...ABOUT, round: 1 }],
  [firmware.fleetReportTypes, { model, epoch: 12, root, confirmed: 990, failed: 8, rolledBack: 2 }],
  [firmware.heartbeatSignTypes, { manufacturer, previous: 1_794_900_000 }],
  [firmware.holdConfirmationTypes, { ...ABOUT, revision: 3 }],
  [firmware.holdTypes, { ...ABOUT, reason: 7, revision: 3 }],
  [firmware.keysetRotationTypes, { manufacturer, keysets, nonce: 1 }],
  [firmware.minimumRaiseTypes, { model, minimumSequence: 9, mandatoryBy: 1_794_990_000 }],
  [firmware.modelRegistrationTypes, { manufacturer, modelClass: MODEL_CLASS, riskClass: 2, slotMiB: 64 }],
  [firmware.rebuildTypes, { ...ABOUT, imageSha256: IMAGE_SHA256 }],
  [
    firmware.releaseTypes,
    {
      ...ABOUT,
      securityCounter: 4,
      kind: 1,
      sizeBytes: 1_048_576,
      imageSha256: IMAGE_SHA256,
      manifestDigest: MANIFEST_DIGEST,
      notBefore: 1_794_900_000,
      keysetVersion: 2
    }
  ],
  [firmware.rolloutCutTypes, { ...ABOUT, bps: 2500, revision: 3 }],
  [firmware.rolloutRaiseTypes, { ...ABOUT, bps: 2500, revision: 3 }],
  [firmware.rotationCancellationTypes, { manufacturer, nonce: 1 }],
  [firmware.sunsetTypes, { model, finalSequence: 9, stewards, nonce: 0 }],
  [firmware.sunsetCancellationTypes, { model, nonce: 1 }],
  [firmware.unholdTypes, { ...ABOUT, reason: 7, revision: 3 }],
  [firmware.yankTypes, { model, imageSha256: IMAGE_SHA256, reason: 7 }]
]

/** Vectors of the requests about firmware; the key in them is published and worthless. */
export async function firmwareRequestVectors(): Promise<Record<string, unknown>> {
  return {
    'firmware-requests': await requestVectors(
      'Signed requests about firmware; docs/specs/contracts-firmware.md',
      { FirmwareRegistry: REGISTRY },
      SAMPLES.map(([types, fields]): RequestSample => ['FirmwareRegistry', types, fields])
    )
  }
}
