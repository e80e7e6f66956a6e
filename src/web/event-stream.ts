import type { ServerResponse } from 'node:http';
import type { Clock, Millis } from '../core/clock.ts';
import { BARE_HEADERS } from './security-headers.ts';

/** Server-sent events (HTML Standard §9.2) to everybody who listens. */
export interface EventStream {
  /** Answers the request and keeps it open. @returns false when there are too many already; nothing is answered then */
  join(response: ServerResponse, first: ServerEvent | null): boolean;
  send(event: ServerEvent): void;
  readonly clients: number;
  /** Ends every stream; who comes later is turned away. */
  close(): void;
}

export interface ServerEvent {
  /** One word. */
  readonly name: string;
  readonly data: unknown;
}

/** Shorter than the idle time-outs of proxies, which drop a connection that is silent for a minute. @internal */
export const HEARTBEAT: Millis = 15_000;
export const MAX_CLIENTS = 64;
/** Rounds that a client may fall behind. */
const MAX_BACKLOG_BYTES = 512 * 1024;
/** How long browsers wait before they come back. */
const RETRY: Millis = 3_000;

interface Client {
  readonly response: ServerResponse;
  /** Heartbeats in a row at which it had not read what came before. */
  behind: number;
}

/** Written straight to the response, not through a web stream: only so is it known how far behind a client is. */
export function createEventStream(clock: Clock): EventStream {
  const clients = new Map<ServerResponse, Client>();
  let closed = false;
  let cancelHeartbeat: (() => void) | null = null;

  function beat(): void {
    for (const client of clients.values()) {
      client.behind = client.response.writableLength > 0 ? client.behind + 1 : 0;
      if (client.behind > 1) client.response.destroy();
      else client.response.write(': still here\n\n');
    }
    cancelHeartbeat = clients.size > 0 ? clock.after(HEARTBEAT, beat) : null;
  }

  function leave(response: ServerResponse): void {
    clients.delete(response);
    if (clients.size > 0) return;
    cancelHeartbeat?.();
    cancelHeartbeat = null;
  }

  function send(event: ServerEvent): void {
    const text = format(event);
    for (const { response } of clients.values()) {
      if (response.writableLength > MAX_BACKLOG_BYTES) response.destroy();
      else response.write(text);
    }
  }

  return {
    get clients(): number {
      return clients.size;
    },
    send,
    join(response, first) {
      if (closed || clients.size >= MAX_CLIENTS) return false;
      response.writeHead(200, HEADERS);
      response.write(`retry: ${String(RETRY)}\n\n${first === null ? '' : format(first)}`);
      clients.set(response, { response, behind: 0 });
      response.once('close', () => leave(response));
      response.on('error', () => response.destroy());
      cancelHeartbeat ??= clock.after(HEARTBEAT, beat);
      return true;
    },
    close() {
      closed = true;
      for (const { response } of clients.values()) response.end();
    },
  };
}

const HEADERS: Readonly<Record<string, string>> = {
  'Content-Type': 'text/event-stream',
  // Once a stream ends, so does its connection: it would keep the server from stopping.
  Connection: 'close',
  ...BARE_HEADERS,
  // nginx holds back what it forwards otherwise.
  'X-Accel-Buffering': 'no',
};

/** JSON has no raw line breaks, so that it is always one `data` line. */
function format({ name, data }: ServerEvent): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
