import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { MiddlewareHandler } from 'hono';
import { parseAccept } from 'hono/utils/accept';
import { COMPRESSIBLE_CONTENT_TYPE_REGEX } from 'hono/utils/compress';
import type { WebEnv } from './web-env.ts';

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
