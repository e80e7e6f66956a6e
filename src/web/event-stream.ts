import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Clock, Millis } from '../core/clock.ts';
import type { Caller } from './sources.ts';
import { networkOf } from './login.ts';
import { BARE_HEADERS } from './static-files.ts';

interface ServerEvent {
  readonly name: string;
  readonly data: unknown;
}

/** Shorter than the idle timeout of proxies that close a connection after a minute without data. */
const HEARTBEAT: Millis = 15_000;
export const MAX_LISTENERS = 64;

interface Listener {
  /** The account name or, if there is no account, the network, because an IPv6 client can use many addresses. */
  readonly client: string;
  readonly isStillKnown: Caller['isStillKnown'];
  /** Number of consecutive heartbeats at which the client had not yet read earlier data. */
  readonly behind: number;
}

const MAX_BACKLOG_BYTES = 512 * 1024;
const RETRY: Millis = 3_000;

/**
 * Server-sent events (HTML Standard §9.2). Events are written directly to Node's response instead of to a web stream,
 * because only the response shows how much data a client has yet to read.
 */
export class EventStream {
  readonly #clock: Clock;
  readonly #onJoined: (response: ServerResponse) => void;
  readonly #listeners = new Map<ServerResponse, Listener>();
  #closed = false;
  #cancelHeartbeat: (() => void) | null = null;

  constructor(clock: Clock, onJoined: (response: ServerResponse) => void = () => undefined) {
    this.#clock = clock;
    this.#onJoined = onJoined;
  }

  /**
   * If there are too many listeners, the oldest stream of the client with the most streams is closed.
   * @returns false, without a response, if no client has more streams than this client
   */
  join(response: ServerResponse, first: ServerEvent | null, caller: Caller): boolean {
    // Clients without an account are identified by their network, because an IPv6 client can use many addresses.
    const client = caller.name ?? networkOf(caller.address ?? undefined);
    if (this.#closed || !this.#hasRoomFor(client)) return false;
    response.writeHead(200, HEADERS);
    response.write(`retry: ${String(RETRY)}\n\n${first === null ? '' : format(first)}`);
    this.#listeners.set(response, { client, isStillKnown: caller.isStillKnown, behind: 0 });
    this.#onJoined(response);
    response.once('close', () => this.#leave(response));
    response.on('error', () => response.destroy());
    this.#cancelHeartbeat ??= this.#clock.after(HEARTBEAT, () => this.#beat());
    return true;
  }

  send(name: string, data: () => unknown): void {
    if (this.#listeners.size === 0) return;
    const text = format({ name, data: data() });
    for (const response of this.#listeners.keys()) {
      if (response.writableLength > MAX_BACKLOG_BYTES) response.destroy();
      else response.write(text);
    }
  }

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
  // An open connection would prevent the server from stopping.
  Connection: 'close',
  ...BARE_HEADERS,
  // Without this header, nginx would buffer the event stream.
  'X-Accel-Buffering': 'no',
};

/** JSON does not contain raw line breaks, so the data always fits on one `data` line. */
function format({ name, data }: ServerEvent): string {
  return `event: ${name}\nid: ${eventId(data)}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** The ID is derived from the data, so a page can contain the ID of the event that it shows. */
export function eventId(data: unknown): string {
  return createHash('sha256').update(JSON.stringify(data)).digest('base64url').slice(0, 16);
}
