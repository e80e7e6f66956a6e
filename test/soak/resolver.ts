import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { decode, type DecodedPacket, encode } from 'dns-packet';
import type { Millis } from '../../src/core/clock.ts';
import { LICENSE_HOST, MAIL_HOST } from '../../src/demo/lab/site.ts';
import type { Conductor } from './conductor.ts';
import { CONTROL_ADDRESS, CONTROL_HOST, LICENSE_ADDRESSES, MAIL, PUSH_ADDRESSES, PUSH_HOST } from './site.ts';

/** How a resolver falsifies a name: an error, no answer, or other addresses. */
export type Lie = 'not-found' | 'server-failure' | 'silent' | readonly string[];

const SERVER_FAILURE = 2;
const NAME_ERROR = 3;
/** Response, recursion desired and available. */
const ANSWERED = 0x0180;
const ROTATES_EVERY: Millis = 47 * 60_000;

const ZONE: Readonly<Record<string, readonly string[]>> = {
  [LICENSE_HOST]: LICENSE_ADDRESSES,
  [PUSH_HOST]: PUSH_ADDRESSES,
  [MAIL_HOST]: [MAIL.address],
  [CONTROL_HOST]: [CONTROL_ADDRESS],
};

/** A resolver of the site on UDP port 53. */
export class Resolver implements AsyncDisposable {
  /** By name; '' applies to every name without an entry. */
  readonly lies: Map<string, Lie> = new Map();
  /** Delay of an answer. */
  delay: Millis = 0;
  /** Number of queries that are lost before one arrives. */
  lost = 0;
  readonly #address: string;
  readonly #conductor: Conductor;
  #socket: Socket | null = null;

  constructor(address: string, conductor: Conductor) {
    this.#address = address;
    this.#conductor = conductor;
  }

  async open(): Promise<void> {
    const socket = createSocket('udp4');
    socket.on('message', (bytes, { address, port }) => {
      const answer = this.#answer(decode(bytes));
      if (answer === null) return;
      const send = (): void => {
        if (this.#socket === socket) socket.send(answer, port, address);
      };
      if (this.delay > 0) this.#conductor.hold(this.delay, send);
      else send();
    });
    const listening = once(socket, 'listening');
    socket.bind(53, this.#address);
    await listening;
    this.#socket = socket;
  }

  /** Closes the port, so that clients get an ICMP error. */
  async close(): Promise<void> {
    const socket = this.#socket;
    this.#socket = null;
    if (socket !== null) await new Promise<void>((resolve) => socket.close(resolve));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #answer({ id = 0, questions = [] }: DecodedPacket): Buffer | null {
    const [question] = questions;
    const isLost = this.lost > 0;
    if (isLost) this.lost -= 1;
    if (question === undefined || isLost) return null;
    const name = question.name.toLowerCase();
    const told = this.lies.get(name) ?? this.lies.get('') ?? this.#addressOf(name);
    if (told === 'silent') return null;
    const rcode = told === 'server-failure' ? SERVER_FAILURE : told === 'not-found' ? NAME_ERROR : 0;
    const addresses = typeof told === 'string' || question.type !== 'A' ? [] : told;
    const answers = addresses.map((data) => ({ type: 'A', name, class: 'IN', ttl: 60, data }) as const);
    return encode({ type: 'response', id, flags: ANSWERED | rcode, questions, answers });
  }

  /** Returns one of several addresses and rotates them over time, as large sites do. */
  #addressOf(name: string): Lie {
    const addresses = ZONE[name];
    if (addresses === undefined) return 'not-found';
    const turn = Math.floor(this.#conductor.now() / ROTATES_EVERY) % addresses.length;
    return addresses.slice(turn, turn + 1);
  }
}
