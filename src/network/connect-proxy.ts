import { request, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { ProbeError } from './failure.ts';

const MAX_HEADER_BYTES = 16 * 1024;

/** One CONNECT (RFC 9110 §9.3.6). */
export interface Tunnel {
  /** `host:port`, as people read it. */
  readonly proxy: string;
  /** `host:port` to be connected to: by name, as the appliance does and as proxies' allow lists are written. */
  readonly authority: string;
  readonly credentials: { readonly user: string; readonly password: string } | null;
}

/**
 * Asks the proxy at the other end of `socket` for a tunnel; afterwards the socket speaks with the target. Done by hand:
 * undici's agent hides the socket that the certificate has to be read from.
 *
 * @throws {ProbeError} `rejected` naming the status when the proxy refuses; the socket's error, or the signal's reason
 */
export function openTunnel(socket: Socket, tunnel: Tunnel, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const connect = request({
      method: 'CONNECT',
      path: tunnel.authority,
      headers: { host: tunnel.authority, ...authorization(tunnel) },
      createConnection: () => socket,
      maxHeaderSize: MAX_HEADER_BYTES,
      signal,
    });
    connect.once('connect', (response: IncomingMessage, _socket: unknown, head: Buffer) => {
      const status = response.statusCode ?? 0;
      if (status >= 200 && status < 300) {
        if (head.length > 0) socket.unshift(head);
        resolve();
        return;
      }
      reject(
        new ProbeError(
          'rejected',
          `The proxy ${tunnel.proxy} answered CONNECT ${tunnel.authority} with status ${String(status)}: ` +
            `expected 200${hint(status)}`,
        ),
      );
    });
    // Never removed: node:http reports once more when the socket is destroyed in the end.
    connect.on('error', reject);
    connect.once('close', () => {
      reject(new ProbeError('closed', `The proxy ${tunnel.proxy} closed the connection without an answer to CONNECT`));
    });
    connect.end();
  });
}

function authorization({ credentials }: Tunnel): Record<string, string> {
  if (credentials === null) return {};
  const token = Buffer.from(`${credentials.user}:${credentials.password}`, 'utf8').toString('base64');
  return { 'proxy-authorization': `Basic ${token}` };
}

function hint(status: number): string {
  if (status === 407) return ' (it wants a user and a password that it accepts)';
  if (status === 403) return ' (its access list does not allow the target)';
  return '';
}
