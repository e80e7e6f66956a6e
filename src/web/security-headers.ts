import type { MiddlewareHandler } from 'hono';
import { secureHeaders } from 'hono/secure-headers';

/**
 * What browsers are told on every answer: nothing may be loaded but our own files, nobody may frame the page, and
 * nothing is kept. No Strict-Transport-Security: it counts for a whole host, and other services of it may have no TLS.
 */
export function securityHeaders(tls: boolean): MiddlewareHandler {
  return secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'"],
      connectSrc: ["'self'"],
      baseUri: ["'none'"],
      formAction: ["'self'"],
      frameAncestors: ["'none'"],
    },
    // Without a referrer browsers send forms of our own pages with the origin "null" (Fetch Standard, "append a request
    // Origin header"), as they do those of strangers.
    referrerPolicy: 'same-origin',
    xFrameOptions: 'DENY',
    strictTransportSecurity: false,
    // Browsers ignore it without TLS, and complain.
    crossOriginOpenerPolicy: tls,
    originAgentCluster: tls,
    permissionsPolicy: { camera: [], microphone: [], geolocation: [] },
  });
}

/** The same for answers that do not go through the routes, which are no pages. */
export const BARE_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Cache-Control': 'no-store',
};

/** Nothing here is worth keeping, unless a route says otherwise: a status of a minute ago is a wrong one. */
export const noStore: MiddlewareHandler = async (context, next) => {
  await next();
  if (!context.res.headers.has('Cache-Control')) context.res.headers.set('Cache-Control', 'no-store');
};
