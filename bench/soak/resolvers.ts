import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';

import { decode, encode } from 'dns-packet';
import type { Answer, DecodedPacket } from 'dns-packet';

import type { Millis } from '../../src/core/clock.ts';
import type { Conductor } from './conductor.ts';
import {
  CONTROLS,
  LICENSE_ADDRESSES,
  LICENSE_HOST,
  MAIL_ADDRESS,
  MAIL_HOST,
  PUSH_ADDRESSES,
  PUSH_HOST,
} from './site.ts';

/** How a resolver falsifies one name or all names. */
export type Lie =
  | { readonly kind: 'not-found' }
  | { readonly kind: 'server-failure' }
  | { readonly kind: 'silent' }
  | { readonly kind: 'addresses'; readonly addresses: readonly string[] };

const SERVER_FAILURE = 2;
const NAME_ERROR = 3;
/** Response, recursion desired and available. */
const ANSWERED = 0x0180;
const TTL = 60;
const ROTATES_EVERY: Millis = 47 * 60_000;

/** A resolver of the site on UDP port 53. */
export class Resolver implements AsyncDisposable {
  /** By name; '' applies to every name. Later entries have priority. */
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
      const answer = this.#isLost() ? null : this.#answer(decode(bytes));
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
    if (socket === null) return;
    this.#socket = null;
    const closed = once(socket, 'close');
    socket.close();
    await closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #answer({ id = 0, questions = [] }: DecodedPacket): Buffer | null {
    const [question] = questions;
    if (question === undefined) return null;
    const name = question.name.toLowerCase();
    const lie = this.lies.get(name) ?? this.lies.get('');
    if (lie?.kind === 'silent') return null;
    const addresses = this.#told(lie) ?? this.#addressesOf(name);
    const rcode = rcodeOf(lie, addresses);
    const answers = recordsOf(name, rcode === 0 && question.type === 'A' ? addresses : []);
    return encode({ type: 'response', id, flags: ANSWERED | rcode, questions, answers });
  }

  #told(lie: Lie | undefined): readonly string[] | null {
    return lie?.kind === 'addresses' ? lie.addresses : null;
  }

  #isLost(): boolean {
    if (this.lost === 0) return false;
    this.lost -= 1;
    return true;
  }

  /** Returns one of several addresses and rotates them over time, as large sites do. */
  #addressesOf(name: string): readonly string[] {
    if (name === LICENSE_HOST) return this.#oneOf(LICENSE_ADDRESSES);
    if (name === PUSH_HOST) return this.#oneOf(PUSH_ADDRESSES);
    if (name === MAIL_HOST) return [MAIL_ADDRESS];
    const control = CONTROLS[name];
    return control === undefined ? [] : [control];
  }

  #oneOf(addresses: readonly string[]): readonly string[] {
    const turn = Math.floor(this.#conductor.now() / ROTATES_EVERY) % addresses.length;
    return addresses.slice(turn, turn + 1);
  }
}

function recordsOf(name: string, addresses: readonly string[]): Answer[] {
  return addresses.map((data) => ({ type: 'A', name, class: 'IN', ttl: TTL, data }));
}

function rcodeOf(lie: Lie | undefined, addresses: readonly string[]): number {
  if (lie?.kind === 'server-failure') return SERVER_FAILURE;
  return lie?.kind === 'not-found' || addresses.length === 0 ? NAME_ERROR : 0;
}
