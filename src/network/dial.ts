import { isIP, type Socket } from 'node:net';
import { deadline } from '../system/clock.ts';
import type { Millis } from '../core/clock.ts';
import { authority, type HostPort } from '../core/authority.ts';
import type { ProxyAnswer } from '../core/observation.ts';
import type { SecretReader, SecretSource } from '../system/secret.ts';
import { openSocket } from './connect.ts';
import type { ProbeContext } from './context.ts';
import { abortError, failureMessage, failureReason, ProbeError } from './failure.ts';
import { getaddrinfo } from './getaddrinfo.ts';
import { openTunnel, ProxyRefusal } from './connect-proxy.ts';
import { unlessAborted } from './unless-aborted.ts';

/** An HTTP proxy that opens tunnels with CONNECT. */
export interface Proxy extends HostPort {
  readonly user: string | null;
  readonly password: SecretSource | null;
}

export interface DialOptions {
  readonly target: HostPort;
  /** A literal address of the target; without meaning through a proxy, which is given the name. */
  readonly address: string;
  readonly proxy: Proxy | null;
  readonly readSecret: SecretReader;
  /** For the TCP handshake. */
  readonly limit: Millis;
  /** For the proxy's answer to CONNECT. */
  readonly tunnelLimit: Millis;
}

/** The proxy answered CONNECT and opened no tunnel; the cause is a `ProxyRefusal`. */
export class TunnelRefused extends ProbeError {
  readonly answer: ProxyAnswer;

  constructor(refusal: ProxyRefusal, page: string | null) {
    super(refusal.reason, refusal.message, { cause: refusal });
    this.answer = { ...refusal.answer, page };
  }
}

/** A page comes with the answer, or right behind it. */
const PAGE_WAIT: Millis = 500;

/**
 * Opens the TCP connection to the target: straight to its address, or by CONNECT through the proxy. The caller destroys
 * the socket.
 *
 * @throws the reason why not; where a proxy is the trouble, its message names the proxy
 */
export async function dial(options: DialOptions, ctx: ProbeContext): Promise<Socket> {
  if (options.proxy === null) return dialAddress(options.address, options.target.port, options.limit, ctx);
  return dialThrough(options.proxy, options, ctx);
}

async function dialAddress(address: string, port: number, limit: Millis, ctx: ProbeContext): Promise<Socket> {
  using time = deadline(ctx.clock, limit, ctx.signal);
  const socket = await openSocket({ address, port, sourceAddress: ctx.sourceAddress }, time.signal);
  socket.setNoDelay(true);
  return socket;
}

async function dialThrough(
  proxy: Proxy,
  { target, readSecret, limit, tunnelLimit }: DialOptions,
  ctx: ProbeContext,
): Promise<Socket> {
  const name = authority(proxy);
  const password = proxy.password === null ? '' : await readSecret(proxy.password);
  const socket = await dialProxy(proxy, limit, ctx);
  using time = deadline(ctx.clock, tunnelLimit, ctx.signal);
  try {
    const credentials = proxy.user === null ? null : { user: proxy.user, password };
    await openTunnel(socket, { proxy: name, authority: authority(target), credentials }, time.signal);
    return socket;
  } catch (error) {
    const page = error instanceof ProxyRefusal ? await pageOf(error, socket, ctx) : null;
    socket.destroy();
    if (error instanceof ProxyRefusal) throw new TunnelRefused(error, page);
    const reason = time.signal.aborted ? abortError(time.signal) : error;
    throw new ProbeError(failureReason(reason), proxyMessage(name, reason), { cause: error });
  }
}

async function pageOf(refusal: ProxyRefusal, socket: Socket, ctx: ProbeContext): Promise<string | null> {
  using wait = deadline(ctx.clock, PAGE_WAIT, ctx.signal);
  return await refusal.page(socket, wait.signal);
}

function proxyMessage(name: string, error: unknown): string {
  return error instanceof ProbeError
    ? error.message
    : `The proxy ${name} did not open a tunnel: ${failureMessage(error)}`;
}

async function dialProxy(proxy: Proxy, limit: Millis, ctx: ProbeContext): Promise<Socket> {
  try {
    const address = isIP(proxy.host) === 0 ? await resolveProxy(proxy.host, limit, ctx) : proxy.host;
    return await dialAddress(address, proxy.port, limit, ctx);
  } catch (error) {
    throw new ProbeError(failureReason(error), `Cannot reach the proxy ${authority(proxy)}: ${failureMessage(error)}`, {
      cause: error,
    });
  }
}

/**
 * By the system's resolver, as any client of the proxy does. The lookup itself cannot be called off, so it is left
 * behind.
 */
async function resolveProxy(host: string, limit: Millis, ctx: ProbeContext): Promise<string> {
  using time = deadline(ctx.clock, limit, ctx.signal);
  const [found] = await unlessAborted(getaddrinfo(host), time.signal);
  if (found === undefined) throw new ProbeError('name-not-resolved', `The name "${host}" has no address`);
  return found.address;
}
