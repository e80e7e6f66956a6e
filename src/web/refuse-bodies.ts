import type { MiddlewareHandler } from 'hono';

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
