/**
 * Energy of sending by Bluetooth Low Energy, modelled, not measured: one connection event per message on the 1 Mbit/s PHY, encrypted,
 * answered by an empty packet. The currents are those of a data sheet's class of chips, from memory; what counts is the ratio of two
 * ways of sending, which hardly depends on them.
 */

/** Assumptions of the model. */
export interface RadioModel {
  readonly name: string
  readonly volts: number
  readonly sendMilliamperes: number
  readonly receiveMilliamperes: number
  /** Microseconds of the radio waking up, at the receiving current. */
  readonly rampMicroseconds: number
}

/** A chip of the nRF52 class at 3 V and 0 dBm. */
export const NRF52_CLASS: RadioModel = {
  name: 'nRF52 class, 3 V, 0 dBm, 1 Mbit/s',
  volts: 3,
  sendMilliamperes: 4.8,
  receiveMilliamperes: 4.6,
  rampMicroseconds: 140
}

/** Preamble 1, access address 4, header 2, message integrity 4, CRC 3; L2CAP 4, ATT 3. */
const FRAME_BYTES = 21
const EMPTY_FRAME_BYTES = 10
const MICROSECONDS_PER_BYTE = 8
const BETWEEN_FRAMES_MICROSECONDS = 150
/** Payload of an attribute in one packet with data length extension. */
const MAX_PAYLOAD = 244

/** Microjoules of one message with so many bytes of payload. */
export function messageMicrojoules(payloadBytes: number, model: RadioModel): number {
  const packets = Math.max(1, Math.ceil(payloadBytes / MAX_PAYLOAD))
  const sending = MICROSECONDS_PER_BYTE * (payloadBytes + packets * FRAME_BYTES)
  const listening = packets * (MICROSECONDS_PER_BYTE * EMPTY_FRAME_BYTES + 2 * BETWEEN_FRAMES_MICROSECONDS)
  const charge = model.sendMilliamperes * sending + model.receiveMilliamperes * (listening + model.rampMicroseconds)
  return (model.volts * charge) / 1000
}
