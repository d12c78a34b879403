/** The codes that credentials carry for what somebody is (docs/specs/contracts-credentials.md). A code is never reused. */

/** Roles by code. Those below 32 fit into the mask of a patient's emergency policy. */
export const ROLES: Readonly<Record<number, string>> = {
  1: 'physician',
  2: 'nurse',
  3: 'paramedic',
  4: 'midwife',
  5: 'dentist',
  6: 'pharmacist',
  7: 'physiotherapist',
  8: 'psychologist',
  9: 'dietitian',
  10: 'laboratory technician',
  11: 'imaging technician',
  12: 'care assistant',
  13: 'social worker',
  14: 'records clerk',
  15: 'device technician',
  16: 'dispatcher',
  17: 'researcher',
  18: 'auditor',
  19: 'reviewer',
  20: 'insurance clerk'
}

/** Specialties by code. */
export const SPECIALTIES: Readonly<Record<number, string>> = {
  0: 'none',
  1: 'general practice',
  2: 'emergency medicine',
  3: 'internal medicine',
  4: 'cardiology',
  5: 'pulmonology',
  6: 'gastroenterology',
  7: 'nephrology',
  8: 'endocrinology',
  9: 'oncology',
  10: 'infectious diseases',
  11: 'intensive care',
  12: 'anaesthesiology',
  13: 'surgery',
  14: 'orthopaedics',
  15: 'neurology',
  16: 'psychiatry',
  17: 'paediatrics',
  18: 'obstetrics and gynaecology',
  19: 'urology',
  20: 'ophthalmology',
  21: 'ear, nose and throat',
  22: 'dermatology',
  23: 'geriatrics',
  24: 'palliative care',
  25: 'rehabilitation',
  26: 'radiology',
  27: 'laboratory medicine'
}

/**
 * The mask of an emergency policy that holds these roles: bit `code` each.
 *
 * @throws RangeError if a code is no role, or does not fit into the mask
 */
export function roleMask(codes: readonly number[]): number {
  let mask = 0
  for (const code of codes) {
    if (ROLES[code] == null || code > 31) throw new RangeError(`no role for a mask: ${String(code)}`)
    mask |= 1 << code
  }
  return mask >>> 0
}
