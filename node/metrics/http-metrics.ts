/** Rate, errors and duration of each route of the HTTP API. */
import { createCounter, createHistogram, gauge, type Family } from '#node/metrics/families.ts'

/** Measures requests. */
export interface HttpMetrics {
  /** A request has come; call what this returns once it is answered. */
  begin(): (answered: { readonly method: string; readonly route: string; readonly status: number }) => void
  read(): readonly Family[]
}

const BOUNDS_S = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
const METHODS: readonly string[] = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS']

/** Makes the measure. @param nowMs - a clock that never goes back */
export function createHttpMetrics(nowMs: () => number = () => performance.now()): HttpMetrics {
  const requests = createCounter({ name: 'salus_http_requests', help: 'Requests answered, by route and status.' }, [
    'method',
    'route',
    'status'
  ])
  const durations = createHistogram(
    {
      name: 'salus_http_request_duration_seconds',
      unit: 'seconds',
      help: 'Time from a request’s head to the head of its answer.'
    },
    BOUNDS_S,
    ['method', 'route']
  )
  let underWay = 0
  return {
    begin() {
      const begunMs = nowMs()
      underWay++
      return ({ method, route, status }) => {
        underWay--
        // Anyone may invent a method.
        const named = METHODS.includes(method) ? method : 'other'
        requests.add({ method: named, route, status: String(status) })
        durations.observe((nowMs() - begunMs) / 1000, { method: named, route })
      }
    },
    read: () => [
      requests.read(),
      durations.read(),
      gauge({ name: 'salus_http_requests_in_flight', help: 'Requests that are being answered.' }, underWay)
    ]
  }
}
