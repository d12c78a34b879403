/** Vectors of docs/specs/gatt.md: made up after the GATT Specification Supplement, captured from no device. */
import { fromHex } from '#core/encoding/bytes.ts'
import { decodeCharacteristic } from '#core/gatt/decode.ts'

/** What, which characteristic, its value. */
const VALID: readonly (readonly [string, string, string])[] = [
  ['a rate in one byte', '2a37', '0048'],
  ['a rate in two bytes', '2a37', '012c01'],
  ['contact and energy', '2a37', '0e500a00'],
  ['two intervals between beats', '2a37', '10500003fe02'],
  ['a strap that is off, rate 0', '2a37', '0400'],
  ['a strap that is off, a rate still shown', '2a37', '043c'],
  ['saturation and pulse', '2a5f', '0060004600'],
  ['an oximeter without a value', '2a5f', '00ff07ff07'],
  ['tenths', '2a5f', '00caf3bcf2'],
  ['fast, slow, status, device and amplitude', '2a5f', '1f60004600610046006200460000012000004600'],
  ['a finger that slipped out', '2a5f', '0860004600000800'],
  ['a spot check with time', '2a5e', '0160004600e807021d0c1e0f'],
  ['a spot check from the store', '2a5e', '02600046000002'],
  ['a pressure', '2a35', '0076004c005a00'],
  ['a pressure in kilopascal', '2a35', '019df065f078f0'],
  ['a pressure with time, pulse, user and status', '2a35', '1e76004c005a00e807021d0c1e0f4600020100'],
  ['a pressure without a value', '2a35', '00ff0700080208'],
  ['the cuff inflates', '2a36', '009600ff07ff07'],
  ['a temperature', '2a1c', '00720100ff'],
  ['a temperature in Fahrenheit, with time and place', '2a1c', '07da0300ffe807021d0c1e0f02'],
  ['a temperature finer than tenths', '2a1c', '003d0e00fe'],
  ['a thermometer without a value', '2a1c', '00ffff7f00'],
  ['a weight', '2a9d', '00983a'],
  ['a weight in pounds with time, user, index and height', '2a9d', '0f1027e807021d0c1e0f03dc00b402'],
  ['a scale without a value', '2a9d', '00ffff'],
  ['glucose in mol/L', '2a18', '060700e807021d0c1e0f37c011'],
  ['glucose in kg/L, an hour later, control solution', '2a18', '0b0800e807021d0c1e0f3c005ab01a0000'],
  ['a heart rate of the generic sensor', '2b8b', '0115000300824102002200ae4c2d00000100a00a48000000'],
  [
    'a bundle of the generic sensor: saturation, and a pressure that it calls invalid',
    '2b8b',
    'ff2c0002002200ae4c2d0000010002010c000100b84b02002002cf0300ff010e000900054a02000100200f76000000'
  ]
]

/** What, which characteristic, its value, the code. */
const INVALID: readonly (readonly [string, string, string, string])[] = [
  ['nothing', '2a37', '', 'GATT_TRUNCATED'],
  ['flags only', '2a37', '00', 'GATT_TRUNCATED'],
  ['half an interval', '2a37', '104800', 'GATT_TRAILING'],
  ['an oximeter cut off', '2a5f', '006000', 'GATT_TRUNCATED'],
  ['an oximeter with a byte more', '2a5f', '006000460000', 'GATT_TRAILING'],
  ['the 30th of February', '2a35', '0276004c005a00e807021e0c1e0f', 'GATT_TIME'],
  ['the 25th hour', '2a35', '0276004c005a00e807021d191e0f', 'GATT_TIME'],
  ['a temperature of 10^100', '2a1c', '0001000064', 'GATT_VALUE'],
  ['a temperature of 10^-100', '2a1c', '000100009c', 'GATT_VALUE'],
  ['a pressure cut off', '2a35', '0076004c00', 'GATT_TRUNCATED'],
  ['a compound observation', '2b8b', '0702000000', 'GATT_UNKNOWN'],
  ['a bundle in a bundle', '2b8b', 'ff0900000001ff0300000000', 'GATT_UNKNOWN'],
  ['a length beyond the end', '2b8b', '01ff000000', 'GATT_TRUNCATED'],
  ['another characteristic', '2a00', '00', 'GATT_UNKNOWN']
]

/** Messages with what they say. */
export function gattVectors(): Record<string, unknown> {
  return {
    gatt: {
      description: 'Values of GATT characteristics and what they say; docs/specs/gatt.md',
      valid: VALID.map(([name, uuid, hex]) => ({
        name,
        uuid,
        bytes: `0x${hex}`,
        measurement: decodeCharacteristic(uuid, fromHex(hex))
      })),
      invalid: INVALID.map(([name, uuid, hex, code]) => ({ name, uuid, bytes: `0x${hex}`, code }))
    }
  }
}
