import type { ServerResponse } from 'node:http';
import type { Clock, Millis } from '../core/clock.ts';
import { BARE_HEADERS } from './security-headers.ts';

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

/**
 * Server-sent events (HTML Standard §9.2) to everybody who listens. Written straight to the response, not through a web
 * stream: only so is it known how far behind a client is.
 */
export class EventStream {
  readonly #clock: Clock;
  /** Heartbeats in a row at which each client had not read what came before. */
  readonly #clients = new Map<ServerResponse, number>();
  #closed = false;
  #cancelHeartbeat: (() => void) | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Answers the request and keeps it open. @returns false when there are too many already; nothing is answered then */
  join(response: ServerResponse, first: ServerEvent | null): boolean {
    if (this.#closed || this.#clients.size >= MAX_CLIENTS) return false;
    response.writeHead(200, HEADERS);
    response.write(`retry: ${String(RETRY)}\n\n${first === null ? '' : format(first)}`);
    this.#clients.set(response, 0);
    response.once('close', () => this.#leave(response));
    response.on('error', () => response.destroy());
    this.#cancelHeartbeat ??= this.#clock.after(HEARTBEAT, () => this.#beat());
    return true;
  }

  send(event: ServerEvent): void {
    const text = format(event);
    for (const response of this.#clients.keys()) {
      if (response.writableLength > MAX_BACKLOG_BYTES) response.destroy();
      else response.write(text);
    }
  }

  /** Ends every stream; who comes later is turned away. */
  close(): void {
    this.#closed = true;
    for (const response of this.#clients.keys()) response.end();
  }

  #beat(): void {
    for (const [response, before] of this.#clients) {
      const behind = response.writableLength > 0 ? before + 1 : 0;
      this.#clients.set(response, behind);
      if (behind > 1) response.destroy();
      else response.write(': still here\n\n');
    }
    this.#cancelHeartbeat = this.#clients.size > 0 ? this.#clock.after(HEARTBEAT, () => this.#beat()) : null;
  }

  #leave(response: ServerResponse): void {
    this.#clients.delete(response);
    if (this.#clients.size > 0) return;
    this.#cancelHeartbeat?.();
    this.#cancelHeartbeat = null;
  }
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
