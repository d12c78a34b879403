/** Gateways, and the firmware of devices, in the projection. */
import type { ChainEvent } from '#core/chain/events.ts'
import type { Fold } from '#core/chain/fold.ts'
import { readRecord, releaseId, withdrawnId } from '#core/chain/records.ts'

/** Its events. */
export type DeviceEvent = Extract<
  ChainEvent,
  {
    readonly name:
      | 'GatewayRegistered'
      | 'GatewayRotated'
      | 'GatewayRetired'
      | 'Anchored'
      | 'ManufacturerRegistered'
      | 'RotationProposed'
      | 'RotationCancelled'
      | 'KeysetsRotated'
      | 'ModelRegistered'
      | 'ReleasePublished'
      | 'ReleaseHeld'
      | 'ReleaseUnheld'
      | 'ImageYanked'
      | 'ReleaseYanked'
      | 'RolloutChanged'
      | 'ActiveChanged'
      | 'MinimumRaised'
  }
>

/** Projects one of them. */
export function projectDevices(fold: Fold, event: DeviceEvent): void {
  const { state, blockTimeS, write, update } = fold
  switch (event.name) {
    case 'GatewayRegistered': {
      const { signer, certificate } = event
      // As with grants: an end is for ever.
      const isRetired = readRecord(state, 'gateway', event.gateway)?.isRetired ?? false
      const start = { sequence: 0, treeSize: 0, root: null, anchoredAtS: null, isRetired }
      write('gateway', event.gateway, { signer, certificate, ...start })
      break
    }
    case 'GatewayRotated':
      update('gateway', event.gateway, { signer: event.newSigner, certificate: event.certificate })
      break
    case 'GatewayRetired':
      update('gateway', event.gateway, { isRetired: true })
      break
    case 'Anchored': {
      const { sequence, treeSize, root } = event
      update('gateway', event.gateway, { sequence, treeSize, root, anchoredAtS: blockTimeS })
      break
    }
    case 'ManufacturerRegistered': {
      const { releaseSigners, threshold, guards } = event
      write('manufacturer', event.manufacturer, { releaseSigners, threshold, guards, proposed: null })
      break
    }
    case 'RotationProposed': {
      const { releaseSigners, threshold, guards } = event
      update('manufacturer', event.manufacturer, { proposed: { releaseSigners, threshold, guards } })
      break
    }
    case 'RotationCancelled':
      update('manufacturer', event.manufacturer, { proposed: null })
      break
    case 'KeysetsRotated': {
      const proposed = readRecord(state, 'manufacturer', event.manufacturer)?.proposed
      update('manufacturer', event.manufacturer, { ...proposed, proposed: null })
      break
    }
    case 'ModelRegistered': {
      const { manufacturer, modelClass } = event
      write('model', event.model, {
        manufacturer,
        modelClass,
        latest: 0,
        active: 0,
        staged: 0,
        rolloutBps: 0,
        minimum: 0
      })
      break
    }
    case 'ReleasePublished': {
      const { model, sequence, imageSha256, securityCounter, sizeBytes, manifestDigest, manifest } = event
      const release = { imageSha256, securityCounter, sizeBytes, manifestDigest, manifest }
      write('release', releaseId(model, sequence), { ...release, heldUntilS: 0, live: false, yanked: false })
      write('image', imageSha256, { model, sequence })
      update('model', model, { latest: sequence })
      break
    }
    case 'ReleaseHeld':
    case 'ReleaseUnheld':
      update('release', releaseId(event.model, event.sequence), { heldUntilS: event.heldUntil })
      break
    case 'ImageYanked':
      write('withdrawn', withdrawnId(event.model, event.imageSha256), { sinceS: blockTimeS })
      break
    case 'ReleaseYanked':
      update('release', releaseId(event.model, event.sequence), { yanked: true, live: false })
      break
    case 'RolloutChanged': {
      // A share of nought is a rollout cut to nobody, or the end of one that was yanked just before.
      const yanked = readRecord(state, 'release', releaseId(event.model, event.sequence))?.yanked
      const isPartial = event.bps < 10_000 && yanked !== true
      const staged = isPartial ? { staged: event.sequence, rolloutBps: event.bps } : { staged: 0, rolloutBps: 0 }
      update('model', event.model, staged)
      break
    }
    case 'ActiveChanged': {
      const before = readRecord(state, 'model', event.model)?.active ?? 0
      // Falling back to an older one means that the newer one was taken back.
      if (event.sequence < before) update('release', releaseId(event.model, before), { live: false })
      if (event.sequence > 0) update('release', releaseId(event.model, event.sequence), { live: true })
      update('model', event.model, { active: event.sequence })
      break
    }
    case 'MinimumRaised':
      update('model', event.model, { minimum: event.minimumSequence })
      break
  }
}
