import type { MiddlewareHandler } from 'hono';

/** Forms of scripts that send one anyway are small. */
const MAX_BODY_BYTES = 1024;

/** Nothing here is asked with a body: what comes with a large one, or with one of unknown length (RFC 9110 §15.5.12), is not even read. */
export const refuseBodies: MiddlewareHandler = async (context, next) => {
  if (context.req.header('Transfer-Encoding') !== undefined)
    return context.text('The request has a body of unknown length: send none\n', 411);
  if (Number(context.req.header('Content-Length') ?? 0) > MAX_BODY_BYTES) {
    return context.text(`The request is too large: expected at most ${String(MAX_BODY_BYTES)} bytes\n`, 413);
  }
  await next();
  return undefined;
};
