import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { getMimeType } from 'hono/utils/mime';
import type { MiddlewareHandler } from 'hono';
import { secureHeaders } from 'hono/secure-headers';
import { parseAccept } from 'hono/utils/accept';
import { COMPRESSIBLE_CONTENT_TYPE_REGEX } from 'hono/utils/compress';
import type { WebEnv } from './sources.ts';

/** A file that the page asks for. */
export interface StaticFile {
  readonly contentType: string;
  readonly body: string;
  /** RFC 9110 §8.8.3. */
  readonly etag: string;
}

/** Ours, in `static/` beside this file. */
const OWN: readonly string[] = [
  'style.css',
  'live.js',
  'copy-buttons.js',
  'distance.js',
  'history.js',
  'incidents.js',
  'charts.js',
  'icon-ready.svg',
  'icon-not-ready.svg',
  'icon-unknown.svg',
];

/** Of the package uPlot. */
const VENDOR: readonly (readonly [name: string, url: string])[] = [
  ['uplot.js', import.meta.resolve('uplot/dist/uPlot.iife.min.js')],
  ['uplot.css', import.meta.resolve('uplot/dist/uPlot.min.css')],
];

/**
 * Reads them once, at the start: a request never touches the file system.
 * @throws {Error} when the installation lacks one
 */
export async function readStaticFiles(): Promise<ReadonlyMap<string, StaticFile>> {
  const files = [
    ...OWN.map((name) => [name, new URL(`./static/${name}`, import.meta.url)] as const),
    ...VENDOR.map(([name, url]) => [name, new URL(url)] as const),
  ];
  const entries = files.map(async ([name, url]): Promise<[string, StaticFile]> => {
    const body = await readFile(url, 'utf8');
    const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
    return [name, { contentType: getMimeType(name) ?? 'text/plain', body, etag }];
  });
  return new Map(await Promise.all(entries));
}

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

/** In threads of its own: the event loop is not held up. */
const compress = promisify(gzip);

/** What fits into one packet gains nothing. */
const LEAST_BYTES = 1_400;
/** Of /metrics it leaves a tenth as level 6 does, in half of the time. */
const LEVEL = 4;

/**
 * Answers with gzip where the client takes it. Each answer is one piece of known length, so that it is still seen how
 * much of it its client has read.
 */
export const compressed: MiddlewareHandler<WebEnv> = async (context, next) => {
  await next();
  const { res, req } = context;
  // Only text of a route of ours: what has no type was written elsewhere, as the stream of events.
  if (!COMPRESSIBLE_CONTENT_TYPE_REGEX.test(res.headers.get('Content-Type') ?? '')) return;
  res.headers.append('Vary', 'Accept-Encoding');
  if (req.method === 'HEAD' || res.body === null || !takesGzip(req.header('Accept-Encoding'))) return;
  const plain = await res.arrayBuffer();
  const body = plain.byteLength < LEAST_BYTES ? null : await compress(plain, { level: LEVEL });
  context.res = new Response(body ?? plain, res);
  if (body === null) return;
  context.res.headers.set('Content-Encoding', 'gzip');
  const etag = context.res.headers.get('ETag');
  // The bytes are others than those that a strong one promises (RFC 9110 §8.8.1).
  if (etag !== null) context.res.headers.set('ETag', `W/${etag}`);
};

function takesGzip(accepted: string | undefined): boolean {
  const codings = parseAccept(accepted ?? '');
  const gzips = codings.find(({ type }) => type.toLowerCase() === 'gzip') ?? codings.find(({ type }) => type === '*');
  return gzips !== undefined && gzips.q > 0;
}

/** Forms of scripts that send one anyway are small. */
const MAX_BODY_BYTES = 1024;
/** A comment of 500 characters, in any script. */
const MAX_SILENCE_BYTES = 4096;
/** The same in a form, where each byte may take three; and what a capture shows of a few connections. */
const MAX_FORM_BYTES = 8192;

/**
 * Hardly anything is asked with a body: what comes with a large one, or with one of unknown length (RFC 9110 §15.5.12),
 * is not even read.
 */
export const refuseBodies: MiddlewareHandler = async (context, next) => {
  if (context.req.header('Transfer-Encoding') !== undefined)
    return context.text('The request has a body of unknown length: send none\n', 411);
  const limit = limitOf(context.req.path);
  if (Number(context.req.header('Content-Length') ?? 0) > limit) {
    return context.text(`The request is too large: expected at most ${String(limit)} bytes\n`, 413);
  }
  await next();
  return undefined;
};

function limitOf(path: string): number {
  if (path === '/api/v1/silences') return MAX_SILENCE_BYTES;
  return path.startsWith('/incidents/') || path.startsWith('/api/v1/incidents/') ? MAX_FORM_BYTES : MAX_BODY_BYTES;
}
