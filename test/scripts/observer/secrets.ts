import { COMPARTMENTS } from '#core/record/compartment.ts'
import { HEALTH_WORDS, type Secret } from '#scripts/observer/needles.ts'

const text = (name: string, value: string): Secret => ({ kind: 'text', name, value })

/** Purpose of use, as the grant documents say it. */
export const PURPOSE = 'Treatment of a depressive episode'
/** Why the glass was broken, as the responder wrote it. */
export const EMERGENCY_REASON = 'Found unconscious, suspected overdose of sertraline'
/** What the patient consents to. */
export const CONSENT_TEXT = 'My depression data may be used for research into mood disorders'
/** The record's entries. */
export const CIDS = [
  'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy',
  'bafkreidgvpkjawlxz6sffxzwgooowe5yt7i6wsyg236mfoks77nywkptdq'
] as const

/** Everything about the person of the story that nobody may find. */
export const SECRETS: readonly Secret[] = [
  text('name', 'Erika Mustermann'),
  text('family name', 'Mustermann'),
  text('birth date', '1964-08-12'),
  text('phone', '+49 30 901820'),
  text('diagnosis', 'F32.1'),
  text('diagnosis in words', 'depressive episode'),
  text('drug', 'sertraline'),
  text('purpose', PURPOSE),
  text('emergency reason', EMERGENCY_REASON),
  text('consent text', CONSENT_TEXT),
  ...CIDS.map((value): Secret => ({ kind: 'cid', name: `entry ${value.slice(-4)}`, value })),
  // Four letters are met by chance.
  ...COMPARTMENTS.filter(each => each.length > 4).map(each => text(`compartment ${each}`, each)),
  ...HEALTH_WORDS.map(each => text(`health word ${each}`, each))
]
