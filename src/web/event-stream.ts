import type { ServerResponse } from 'node:http';
import type { Clock, Millis } from '../core/clock.ts';
import type { Caller } from './sources.ts';
import { networkOf } from './login.ts';
import { BARE_HEADERS } from './static-files.ts';

export interface ServerEvent {
  /** One word. */
  readonly name: string;
  readonly data: unknown;
}

/** Shorter than the idle time-outs of proxies, which drop a connection that is silent for a minute. @internal */
export const HEARTBEAT: Millis = 15_000;
export const MAX_LISTENERS = 64;

interface Listener {
  /** Name or network. */
  readonly client: string;
  readonly isStillKnown: Caller['isStillKnown'];
  /** Heartbeats in a row at which it had not read what came before. */
  readonly behind: number;
}

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
  /** Longest here first. */
  readonly #listeners = new Map<ServerResponse, Listener>();
  #closed = false;
  #cancelHeartbeat: (() => void) | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Answers the request and keeps it open. Where there are too many, who has most of them makes room.
   * @returns false when there are too many, and nobody has more than this one; nothing is answered then
   */
  join(response: ServerResponse, first: ServerEvent | null, caller: Caller): boolean {
    // A stranger has as many addresses of IPv6 as there are.
    const client = caller.name ?? networkOf(caller.address ?? undefined);
    if (this.#closed || !this.#hasRoomFor(client)) return false;
    response.writeHead(200, HEADERS);
    response.write(`retry: ${String(RETRY)}\n\n${first === null ? '' : format(first)}`);
    this.#listeners.set(response, { client, isStillKnown: caller.isStillKnown, behind: 0 });
    response.once('close', () => this.#leave(response));
    response.on('error', () => response.destroy());
    this.#cancelHeartbeat ??= this.#clock.after(HEARTBEAT, () => this.#beat());
    return true;
  }

  /** @param data worked out only where somebody listens */
  send(name: string, data: () => unknown): void {
    if (this.#listeners.size === 0) return;
    const text = format({ name, data: data() });
    for (const response of this.#listeners.keys()) {
      if (response.writableLength > MAX_BACKLOG_BYTES) response.destroy();
      else response.write(text);
    }
  }

  /** Ends every stream; who comes later is turned away. */
  close(): void {
    this.#closed = true;
    for (const response of this.#listeners.keys()) response.end();
  }

  #beat(): void {
    for (const [response, listener] of this.#listeners) {
      const behind = response.writableLength > 0 ? listener.behind + 1 : 0;
      this.#listeners.set(response, { ...listener, behind });
      if (behind > 1) response.destroy();
      else response.write(': still here\n\n');
      void this.#endUnlessKnown(response, listener);
    }
    this.#cancelHeartbeat = this.#listeners.size > 0 ? this.#clock.after(HEARTBEAT, () => this.#beat()) : null;
  }

  /** A password that was changed or a token that was replaced ends the streams that were opened with it. */
  async #endUnlessKnown(response: ServerResponse, { isStillKnown }: Listener): Promise<void> {
    if (!(await isStillKnown())) response.end();
  }

  #hasRoomFor(client: string): boolean {
    if (this.#listeners.size < MAX_LISTENERS) return true;
    const counts = new Map<string, number>();
    for (const { client: other } of this.#listeners.values()) counts.set(other, (counts.get(other) ?? 0) + 1);
    const [[greediest, most] = [client, 0]] = [...counts].toSorted(([, one], [, other]) => other - one);
    if (most <= (counts.get(client) ?? 0) + 1) return false;
    const [oldest] = [...this.#listeners].find(([, listener]) => listener.client === greediest) ?? [];
    if (oldest !== undefined) this.#leave(oldest.destroy());
    return true;
  }

  #leave(response: ServerResponse): void {
    this.#listeners.delete(response);
    if (this.#listeners.size > 0) return;
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
