import type { SensitiveCompartment } from '#core/fhir/sensitivity/rank.ts'

/**
 * Words in the text of a concept that name something sensitive, for data that carry no code. Kept short: a word that also has a
 * harmless meaning (depression of the ST segment, a hearing aid) hides from a clinician what she has to see.
 */
export const WORDS: readonly (readonly [SensitiveCompartment, RegExp])[] = [
  [
    'substance-use',
    /\b(?:alcohol(?:ism| abuse| dependence| use disorder)|(?:opioid|opiate|heroin|cocaine|cannabis|amphetamine|drug|substance) (?:abuse|dependence|addiction|use disorder|misuse)|methadone|buprenorphine|naltrexone|disulfiram)\b/i
  ],
  [
    'sexual',
    /\b(?:hiv|human immunodeficiency virus|antiretroviral|syphilis|gonorrh(?:o?ea)|chlamydia\w*|genital herpes|sexually transmitted|abortion|contracepti\w+|sexual (?:assault|abuse)|intimate partner|gender dysphoria)\b/i
  ],
  [
    'mental',
    /\b(?:schizo\w+|psychosis|psychotic|bipolar disorder|(?:major|recurrent) depress\w+|depressive (?:disorder|episode)|suicid\w+|self-harm|anorexia nervosa|bulimia|posttraumatic stress|psychiatr\w+|psychotherap\w+)\b/i
  ],
  [
    'genomics',
    /\b(?:brca ?[12]|huntington\w*|genetic (?:test|analysis|variant|mutation|susceptibility)\w*|sickle[- ]cell)\b/i
  ]
]

/** The strictest section that a concept's text names. */
export function sectionOfText(text: string): SensitiveCompartment | undefined {
  return WORDS.find(([, words]) => words.test(text))?.[0]
}
