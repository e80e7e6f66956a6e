import type { Socket } from 'node:net';
import type { Clock, Millis } from '../../core/clock.ts';
import type { Origin } from './attribution.ts';
import { Framer, type LineSink } from './framing.ts';
import type { LineBudget, LineHolder } from './line-budget.ts';
import type { IntakeLogger } from './logger.ts';
import type { ConnectionTally } from './tally.ts';
import type { TurnBudget } from './turn-budget.ts';

const KEEP_ALIVE: Millis = 60_000;
const LEAVE_WITHIN: Millis = 10_000;
/** What Node keeps besides of a connection over TLS that was sent much at once: measured, some 90 KB. */
const TLS_ROOM = 64 * 1024;

/** What connections need, of all listeners or of theirs. */
export interface ConnectionDeps {
  readonly clock: Clock;
  readonly logger: IntakeLogger;
  readonly connections: ConnectionTally;
  readonly turns: TurnBudget;
  readonly lines: LineBudget;
  readonly originOf: (socket: Socket) => Origin;
  /** `refuse` closes the connection. */
  readonly reader: (origin: Origin, address: string, refuse: () => void) => LineSink;
  readonly onOverBudget: (address: string) => void;
}

/** One connection that sends lines. */
export class TcpConnection implements LineHolder {
  readonly address: string;
  readonly isKnown: boolean;
  readonly #socket: Socket;
  readonly #deps: ConnectionDeps;
  readonly #framer: Framer;
  readonly #extraRoom: number;
  #lastByteAt: Millis;
  /** Null between two lines. */
  #lineSince: Millis | null = null;

  constructor(socket: Socket, deps: ConnectionDeps, isSecure: boolean) {
    this.address = socket.remoteAddress ?? '';
    const origin = deps.originOf(socket);
    this.isKnown = origin.kind === 'appliance' || origin.kind === 'relay';
    this.#socket = socket;
    this.#deps = deps;
    this.#extraRoom = isSecure ? TLS_ROOM : 0;
    this.#lastByteAt = deps.clock.elapsed();
    this.#framer = new Framer(
      deps.reader(origin, this.address, () => this.#refuse()),
      { octetCounting: true },
    );
  }

  /** Reads it to its end. */
  open(): void {
    const { connections, turns, logger } = this.#deps;
    const socket = this.#socket;
    connections.accepted += 1;
    connections.open += 1;
    turns.add(socket);
    socket.setKeepAlive(true, KEEP_ALIVE);
    socket.on('error', (error) => {
      logger.debug({ err: error, address: this.address }, 'syslog connection failed');
    });
    socket.on('data', (chunk: Buffer) => this.#guard(() => this.#take(chunk)));
    socket.once('close', () => {
      turns.remove(socket);
      connections.open -= 1;
      this.#guard(() => this.#end());
    });
  }

  /** A line was begun, and got no byte for `stalledLine`, or no end within `endlessLine`. */
  isStuck(now: Millis, limits: { readonly stalledLine: Millis; readonly endlessLine: Millis }): boolean {
    if (this.#socket.destroyed || this.#lineSince === null) return false;
    return now - this.#lastByteAt > limits.stalledLine || now - this.#lineSince > limits.endlessLine;
  }

  cut(): void {
    this.#deps.connections['over-budget'] += 1;
    this.#deps.onOverBudget(this.address);
    this.#end();
    this.#socket.destroy();
  }

  /** Reads on until the sender has seen that it is to come again. */
  leave(): void {
    this.#socket.end();
    const cancel = this.#deps.clock.after(LEAVE_WITHIN, () => this.#socket.destroy());
    this.#socket.once('close', cancel);
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    const { clock, turns, lines } = this.#deps;
    const framer = this.#framer;
    const before = framer.frames;
    framer.push(chunk);
    const isNewLine = framer.frames !== before;
    const now = clock.elapsed();
    this.#lastByteAt = now;
    this.#lineSince = framer.inLine ? ((isNewLine ? null : this.#lineSince) ?? now) : null;
    turns.spend(this.#socket, chunk.length);
    if (isNewLine) lines.hold(this, 0);
    lines.hold(this, framer.room === 0 ? 0 : framer.room + this.#extraRoom);
  }

  /** A line that cannot be read costs its connection, and nothing else. */
  #guard(read: () => void): void {
    try {
      read();
    } catch (error) {
      this.#deps.logger.error(
        { err: error, address: this.address },
        'syslog connection could not be read: a bug, please report it',
      );
      this.#socket.destroy();
    }
  }

  #refuse(): void {
    if (this.#socket.destroyed) return;
    this.#deps.connections.refused += 1;
    this.#socket.destroy();
  }

  /** What there is of a line is taken as one. */
  #end(): void {
    this.#framer.end();
    this.#deps.lines.hold(this, 0);
  }
}
