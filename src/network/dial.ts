import { isIP, type Socket } from 'node:net';
import { deadline } from '../system/clock.ts';
import type { Millis } from '../core/clock.ts';
import { authority, type HostPort } from '../core/authority.ts';
import type { SecretReader, SecretSource } from '../system/secret.ts';
import { openSocket } from './connect.ts';
import type { ProbeContext } from './context.ts';
import { abortError, failureMessage, failureReason, ProbeError } from './failure.ts';
import { getaddrinfo } from './getaddrinfo.ts';
import { openTunnel } from './connect-proxy.ts';
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
  /** For the TCP handshake, and once more for the proxy's answer. */
  readonly limit: Millis;
}

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
  { target, readSecret, limit }: DialOptions,
  ctx: ProbeContext,
): Promise<Socket> {
  const name = authority(proxy);
  const password = proxy.password === null ? '' : await readSecret(proxy.password);
  const socket = await dialProxy(proxy, limit, ctx);
  using time = deadline(ctx.clock, limit, ctx.signal);
  try {
    const credentials = proxy.user === null ? null : { user: proxy.user, password };
    await openTunnel(socket, { proxy: name, authority: authority(target), credentials }, time.signal);
    return socket;
  } catch (error) {
    socket.destroy();
    const reason = time.signal.aborted ? abortError(time.signal) : error;
    throw new ProbeError(failureReason(reason), proxyMessage(name, reason), { cause: error });
  }
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
