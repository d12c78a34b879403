/** How much of its disk a node gives, in all and to each patient. */

/** Bounds, in bytes. */
export interface Quotas {
  /** Blobs in all: what the node pledged. */
  readonly totalBytes: number
  /** Blobs of one patient. */
  readonly patientBytes: number
}

/** What is used, and who may still add. */
export interface QuotaLedger {
  /** Whether there is room for a blob. A patient's named node and the operator's pins count, but are never turned away here. */
  fits(patient: string, sizeBytes: number): boolean
  add(patient: string, sizeBytes: number): void
  remove(patient: string, sizeBytes: number): void
  used(): number
  usedBy(patient: string): number
}

/** An empty {@link QuotaLedger}. A blob that two patients name counts for each, but once in all where the caller adds it once. */
export function createQuotaLedger({ totalBytes, patientBytes }: Quotas): QuotaLedger {
  const byPatient = new Map<string, number>()
  let total = 0
  const usedBy = (patient: string): number => byPatient.get(patient) ?? 0
  return {
    usedBy,
    used: () => total,
    fits: (patient, sizeBytes) => total + sizeBytes <= totalBytes && usedBy(patient) + sizeBytes <= patientBytes,
    add(patient, sizeBytes) {
      total += sizeBytes
      byPatient.set(patient, usedBy(patient) + sizeBytes)
    },
    remove(patient, sizeBytes) {
      total = Math.max(0, total - sizeBytes)
      const left = usedBy(patient) - sizeBytes
      if (left > 0) byPatient.set(patient, left)
      else byPatient.delete(patient)
    }
  }
}
