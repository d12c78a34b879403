/**
 * Security labels that put a resource into a section of its own (docs/specs/fhir.md#sensitive).
 *
 * @see https://terminology.hl7.org/CodeSystem-v3-ActCode.html
 */
import type { SensitiveCompartment } from '#core/fhir/sensitivity/rank.ts'

/** Systems whose codes are sensitivity labels. */
export const LABEL_SYSTEMS: readonly string[] = [
  'http://terminology.hl7.org/CodeSystem/v3-ActCode',
  'http://hl7.org/fhir/v3/ActCode',
  'urn:oid:2.16.840.1.113883.5.4'
]

/** Systems of confidentiality codes. */
export const CONFIDENTIALITY_SYSTEMS: readonly string[] = [
  'http://terminology.hl7.org/CodeSystem/v3-Confidentiality',
  'http://hl7.org/fhir/v3/Confidentiality',
  'urn:oid:2.16.840.1.113883.5.25'
]

/** Sensitivity and privacy-law codes of HL7's ActCode. */
export const LABELS: Readonly<Record<string, SensitiveCompartment>> = {
  // Substance use; 42 CFR Part 2 is the law of the United States on its records.
  '42CFRPart2': 'substance-use',
  ETH: 'substance-use',
  ETHUD: 'substance-use',
  OPIOIDUD: 'substance-use',
  SUD: 'substance-use',
  // Sexual and reproductive health, HIV, violence.
  HIV: 'sexual',
  MST: 'sexual',
  PREGNANT: 'sexual',
  SDV: 'sexual',
  SEX: 'sexual',
  SEXO: 'sexual',
  SPI: 'sexual',
  STD: 'sexual',
  VIO: 'sexual',
  // Mental and behavioural health. BH covers substance use too, but says no more than this.
  BH: 'mental',
  COGN: 'mental',
  DVD: 'mental',
  EMOTDIS: 'mental',
  MH: 'mental',
  PSY: 'mental',
  PSYTHPN: 'mental',
  TBOO: 'mental',
  // Genetics.
  GDIS: 'genomics',
  SCA: 'genomics',
  SICKLE: 'genomics'
}

/** Confidentiality "restricted" and "very restricted", where nothing says of what: kept where secrecy is strict. */
export const RESTRICTED: Readonly<Record<string, SensitiveCompartment>> = { R: 'mental', V: 'mental' }
