/** Measures every request under the pattern of its route, so that no id gets into a label. */
import type { MiddlewareHandler } from 'hono'
import { routePath } from 'hono/route'
import type { HttpMetrics } from '#node/metrics/http-metrics.ts'

/** Middleware that comes before all others. */
export function observed(metrics: HttpMetrics): MiddlewareHandler {
  return async (context, next) => {
    const answered = metrics.begin()
    let status = 500
    try {
      await next()
      ;({ status } = context.res)
    } finally {
      const route = routePath(context, -1)
      answered({ method: context.req.method, route: route === '*' || route === '/*' ? 'none' : route, status })
    }
  }
}
