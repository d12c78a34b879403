/** The code under which a refusal is counted, for example `LINK_OLD_EPOCH` for `old-epoch`. What is a code already stays. */
export function refusalCode(why: string): string {
  return /^[A-Z]/.test(why) ? why : `LINK_${why.toUpperCase().replaceAll('-', '_')}`
}
