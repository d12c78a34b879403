/** What an operator sees when a sensor is made known: its code, once, and the digits that both screens must agree on. */
import { renderUnicodeCompact } from 'uqr'
import { readCodeText, toCodeParts, toCodeText } from '#core/agent/code-text.ts'
import type { Primitives } from '#core/crypto/primitives.ts'
import { decodeSensorCard, encodeSensorCard, type SensorCard } from '#core/link/provisioning.ts'

/** A sensor's code in forms for a screen. All of them are secret. */
export interface SensorCode {
  /** One line, to be pasted. */
  readonly text: string
  /** QR codes for a terminal; one, for a card is small. */
  readonly qr: readonly string[]
}

/** The code of a card. */
export function sensorCode(p: Primitives, card: SensorCard): SensorCode {
  const bytes = encodeSensorCard(card)
  return {
    text: toCodeText(p, 'SENSOR', bytes),
    qr: toCodeParts(p, 'SENSOR', bytes).map(part => renderUnicodeCompact(part, { ecc: 'L' }))
  }
}

/**
 * The card of a code.
 *
 * @throws SalusError `CODE_TEXT_*`, `SENSOR_CARD_*`
 */
export function readSensorCode(p: Primitives, text: string): SensorCard {
  return decodeSensorCard(readCodeText(p, 'SENSOR', text))
}
