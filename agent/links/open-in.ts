/** What somebody shows the patient: a SMART Health Link, or the codes of a SMART Health Card. */
import { SalusError } from '#core/error.ts'
import { isJsonObject, parseJson } from '#core/fhir/json/parse.ts'
import { cardInCodes, cardsInFile, issuerOf, openHealthCard } from '#core/fhir/shl/health-card.ts'
import { parseLink } from '#core/fhir/shl/link.ts'
import { bodyOf, send, type HttpComponents } from '#agent/fhir/http.ts'
import { openLink, type OpenLinkInit } from '#agent/fhir/open-link.ts'

/** FHIR that was shown, and who signed it where somebody did. */
export interface ShownFhir {
  readonly bytes: Uint8Array
  /** Address of the issuer of a card; whether to trust it is for the patient to say. */
  readonly issuer: string | null
}

const MAX_KEYS_BYTES = 262_144
const CARD_TYPE = 'application/smart-health-card'

/**
 * Opens one link, or one card in the texts of its codes.
 *
 * @throws SalusError `SHL_*`, `SHC_*`, `SHL_CONTENT` (nothing in it is FHIR), and as `openLink`
 */
export async function openShown(
  components: HttpComponents,
  texts: readonly string[],
  init: OpenLinkInit
): Promise<ShownFhir[]> {
  const [text = ''] = texts
  if (text.startsWith('shc:/')) return [await openCard(components, cardInCodes(texts), init)]
  const found: ShownFhir[] = []
  for (const { contentType, bytes } of await openLink(components, parseLink(text), init)) {
    const [type] = contentType.split(';')
    if (type === 'application/fhir+json') found.push({ bytes, issuer: null })
    if (type === CARD_TYPE) for (const card of cardsInFile(bytes)) found.push(await openCard(components, card, init))
  }
  if (found.length === 0) throw new SalusError('SHL_CONTENT', 'The link holds nothing that belongs into a record.')
  return found
}

async function openCard(components: HttpComponents, card: string, init: OpenLinkInit): Promise<ShownFhir> {
  const issuer = issuerOf(card)
  const signal = init.signal == null ? {} : { signal: init.signal }
  const response = await send(components, `${issuer}/.well-known/jwks.json`, {}, { attempts: 2, ...signal })
  if (!response.ok) {
    await response.body?.cancel()
    throw new SalusError('SHC_SIGNATURE', 'Refused: the card’s issuer does not publish its keys.')
  }
  const value = parseJson(await bodyOf(response, MAX_KEYS_BYTES))
  const keys =
    isJsonObject(value) && Array.isArray(value['keys']) ? (value['keys'] as unknown[]).filter(isJsonObject) : []
  const opened = await openHealthCard(card, keys, Math.floor(components.clock() / 1000))
  return { bytes: opened.bundle, issuer: opened.issuer }
}
