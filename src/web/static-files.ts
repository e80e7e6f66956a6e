import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { getMimeType } from 'hono/utils/mime';
import type { Context, MiddlewareHandler } from 'hono';
import { secureHeaders } from 'hono/secure-headers';
import { parseAccept } from 'hono/utils/accept';
import { COMPRESSIBLE_CONTENT_TYPE_REGEX } from 'hono/utils/compress';
import type { WebEnv } from './sources.ts';

export interface StaticFile {
  readonly contentType: string;
  readonly body: string;
  /** RFC 9110 §8.8.3 */
  readonly etag: string;
}

const OWN: URL = new URL('./static/', import.meta.url);

/** Editor backups and hidden files are not published. */
const OWN_FILE = /^[a-z-]+\.(?:js|css|svg)$/u;

/** uPlot draws the charts. */
const VENDOR: readonly (readonly [name: string, url: string])[] = [
  ['uplot.js', import.meta.resolve('uplot/dist/uPlot.iife.min.js')],
  ['uplot.css', import.meta.resolve('uplot/dist/uPlot.min.css')],
];

/** Reads all files once, so that requests don't require disk access. */
export async function readStaticFiles(): Promise<ReadonlyMap<string, StaticFile>> {
  const files = [
    ...(await readdir(OWN)).filter((name) => OWN_FILE.test(name)).map((name) => [name, new URL(name, OWN)] as const),
    ...VENDOR.map(([name, url]) => [name, new URL(url)] as const),
  ];
  const entries = files.map(async ([name, url]): Promise<[string, StaticFile]> => {
    return [name, taggedFile(await readFile(url, 'utf8'), getMimeType(name) ?? 'text/plain')];
  });
  return new Map(await Promise.all(entries));
}

export function taggedFile(body: string, contentType: string): StaticFile {
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  return { contentType, body, etag };
}

export function answerFile(
  file: StaticFile,
  context: Context<WebEnv>,
  cache: 'no-cache' | 'no-store' = 'no-cache',
): Response {
  const headers = { 'Content-Type': file.contentType, 'Cache-Control': cache, ETag: file.etag };
  return context.req.header('If-None-Match')?.replace(/^W\//u, '') === file.etag
    ? context.body(null, 304, headers)
    : context.body(file.body, 200, headers);
}

/** The rules for all responses, in order. */
export function responseRules(tls: boolean): readonly MiddlewareHandler<WebEnv>[] {
  return [securityHeaders(tls), noStore, compressed, refuseBodies];
}

/**
 * Strict-Transport-Security is not sent, because it affects the whole host, which may run other services without TLS.
 */
function securityHeaders(tls: boolean): MiddlewareHandler {
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
    // If referrers were disabled, browsers would send the origin "null" with our pages' forms, as they do with other
    // sites' forms (Fetch Standard, "append a request Origin header").
    referrerPolicy: 'same-origin',
    xFrameOptions: 'DENY',
    strictTransportSecurity: false,
    // Without TLS, browsers ignore this header and log a warning.
    crossOriginOpenerPolicy: tls,
    originAgentCluster: tls,
    permissionsPolicy: { camera: [], microphone: [], geolocation: [] },
    overwrite: false,
  });
}

/** For responses that bypass the routes and do not contain a page. */
export const BARE_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Cache-Control': 'no-store',
};

/** A cached status would be outdated after a minute. */
const noStore: MiddlewareHandler = async (context, next) => {
  await next();
  if (!context.res.headers.has('Cache-Control')) context.res.headers.set('Cache-Control', 'no-store');
};

/** Runs in Node's thread pool, so that the event loop is not blocked. */
const compress = promisify(gzip);

/** Smaller responses fit into one packet even without compression. */
const LEAST_BYTES = 1_400;
/** Like gzip level 6, this level reduces /metrics to a tenth of its size, but in half the time. */
const LEVEL = 4;

/** Each response is one chunk of known length, so that the server can detect how much of it the client has read. */
const compressed: MiddlewareHandler<WebEnv> = async (context, next) => {
  await next();
  const { res, req } = context;
  if (!COMPRESSIBLE_CONTENT_TYPE_REGEX.test(res.headers.get('Content-Type') ?? '')) return;
  res.headers.append('Vary', 'Accept-Encoding');
  if (req.method === 'HEAD' || res.body === null || !takesGzip(req.header('Accept-Encoding'))) return;
  const plain = await res.arrayBuffer();
  const body = plain.byteLength < LEAST_BYTES ? null : await compress(plain, { level: LEVEL });
  context.res = new Response(body ?? plain, res);
  if (body === null) return;
  context.res.headers.set('Content-Encoding', 'gzip');
  const etag = context.res.headers.get('ETag');
  // A strong ETag would promise identical bytes (RFC 9110 §8.8.1).
  if (etag !== null) context.res.headers.set('ETag', `W/${etag}`);
};

function takesGzip(accepted: string | undefined): boolean {
  const codings = parseAccept(accepted ?? '');
  const gzips = codings.find(({ type }) => type.toLowerCase() === 'gzip') ?? codings.find(({ type }) => type === '*');
  return gzips !== undefined && gzips.q > 0;
}

/** For requests that don't need a body. Some scripts send a small form anyway. */
const MAX_BODY_BYTES = 1024;
/** Enough for a 500-character comment in any language. */
const MAX_SILENCE_BYTES = 4096;
/**
 * Enough for a 500-character comment, even though form encoding can triple its size, or for several captured
 * connections.
 */
const MAX_FORM_BYTES = 8192;

/** Rejects bodies that are too large or have an unknown length (RFC 9110 §15.5.12), without reading them. */
const refuseBodies: MiddlewareHandler = async (context, next) => {
  if (context.req.header('Transfer-Encoding') !== undefined)
    return context.text('The length of the request body is unknown. Send a Content-Length header or no body\n', 411);
  const limit = limitOf(context.req.path);
  if (Number(context.req.header('Content-Length') ?? 0) > limit) {
    return context.text(`The request body is too large. The maximum is ${String(limit)} bytes\n`, 413);
  }
  await next();
  return undefined;
};

function limitOf(path: string): number {
  if (path === '/api/v1/silences') return MAX_SILENCE_BYTES;
  return path.startsWith('/incidents/') || path.startsWith('/api/v1/incidents/') ? MAX_FORM_BYTES : MAX_BODY_BYTES;
}
