/** Overwrites every byte string in a value, at any depth: what can be done about secrets in a language that copies freely. */
export function wipe(value: unknown): void {
  if (value instanceof Uint8Array) value.fill(0)
  else if (Array.isArray(value)) for (const each of value) wipe(each)
  else if (isPlain(value)) for (const each of Object.values(value)) wipe(each)
}

/** A CID and other values of classes hold public bytes that are shared. */
function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}
