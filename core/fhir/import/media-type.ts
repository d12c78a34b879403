const MEDIA_TYPE = /^[\w!#$&^.+-]{1,60}\/[\w!#$&^.+-]{1,60}$/
const UNKNOWN = 'application/octet-stream'

/** The media type that an attachment states, if it is a plain one: it becomes an HTTP header. */
export function mediaTypeOf(contentType: unknown): string {
  return typeof contentType === 'string' && MEDIA_TYPE.test(contentType) ? contentType : UNKNOWN
}
