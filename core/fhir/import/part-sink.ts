import { PART_BYTES, markerValue } from '#core/fhir/attachment.ts'
import type { PlannedEntry, PlannedPart } from '#core/fhir/import/planned-entry.ts'
import { refuseChange } from '#core/fhir/import/source-changed.ts'
import type { AttachmentSink } from '#core/fhir/import/splitter.ts'
import type { Survey } from '#core/fhir/import/survey.ts'

/** Collects the contents of attachments into parts. */
export function createPartSink(
  { attachments }: Survey,
  idOf: (part: PlannedPart) => Uint8Array,
  emit: (planned: PlannedEntry) => void
): AttachmentSink {
  const part = new Uint8Array(PART_BYTES)
  let used = 0
  let sizeBytes = 0
  let parts: Uint8Array[] = []
  let index = 0
  const emitPart = (): void => {
    const of = attachments[index] ?? refuseChange()
    const { type, compartment, day } = of
    const planned = { type, compartment, day, body: part.slice(0, used) }
    const entry = idOf(planned)
    parts.push(entry)
    emit({ kind: 'attachment', name: null, entry, ...planned })
    used = 0
  }
  return {
    put: piece => {
      sizeBytes += piece.length
      for (let i = 0; i < piece.length;) {
        const fits = Math.min(piece.length - i, PART_BYTES - used)
        part.set(piece.subarray(i, i + fits), used)
        used += fits
        i += fits
        if (used === PART_BYTES) emitPart()
      }
    },
    end: () => {
      if (used > 0) emitPart()
      const value = markerValue({ sizeBytes, parts })
      index++
      sizeBytes = 0
      parts = []
      return value
    }
  }
}
