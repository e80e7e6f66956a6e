import { connect, createServer, type Socket } from 'node:net';
import type { Identity } from './identity.ts';
import { createManInTheMiddle } from './man-in-the-middle.ts';
import type { ManInTheMiddle } from './man-in-the-middle.ts';
import { listening, type Listening } from './listening.ts';

/** How the firewall treats connections through it. */
export type FirewallMode =
  | { readonly kind: 'off' }
  /**
   * Decrypts TLS and signs again; if `source` is given, only for that source address. @default authority the
   * firewall's
   */
  | { readonly kind: 'inspect'; readonly authority?: Identity; readonly source?: string }
  /** Decrypts TLS and answers with a block page. */
  | { readonly kind: 'block-page' }
  /** Accepts the ClientHello but never answers. */
  | { readonly kind: 'drop' }
  /** Resets the connection at the ClientHello. */
  | { readonly kind: 'reset' }
  /** Resets the connection at the first packet, as if the port was closed. */
  | { readonly kind: 'refuse' };

/** Hosts behind the firewall by name. The value is the port of the real server. */
export type Upstreams = Readonly<Record<string, number>>;

/**
 * The firewall on the path to the internet, with one TCP port for each host behind it. A userland program cannot drop
 * the first packet of a connection, so a dropped connection shows as silence after the ClientHello.
 */
export interface InspectingFirewall extends AsyncDisposable {
  /** Returns the port at which a host is reached through the firewall. */
  portOf(host: string): number;
  /** Sets the mode for one host or for all. Existing connections are cut, as after a policy change. */
  setMode(mode: FirewallMode, host?: string): Promise<void>;
}

export async function createInspectingFirewall(authority: Identity, upstreams: Upstreams): Promise<InspectingFirewall> {
  const middle = await createManInTheMiddle(authority);
  const gates = new Map<string, Gate>();
  for (const [host, port] of Object.entries(upstreams)) gates.set(host, await Gate.open({ host, port }, middle));

  function gate(host: string): Gate {
    const found = gates.get(host);
    if (found === undefined)
      throw new RangeError(`Cannot reach "${host}": expected one of ${[...gates.keys()].join(', ')}`);
    return found;
  }

  return {
    portOf: (host) => gate(host).port,
    setMode: async (mode, host) => {
      for (const one of host === undefined ? gates.values() : [gate(host)]) await one.setMode(mode);
    },
    [Symbol.asyncDispose]: async () => {
      for (const one of gates.values()) await one.close();
      middle.close();
    },
  };
}

interface Upstream {
  readonly host: string;
  readonly port: number;
}

/** The path of one host through the firewall. */
class Gate {
  readonly port: number;
  readonly #upstream: Upstream;
  readonly #middle: ManInTheMiddle;
  /** null while connections are refused. */
  #listening: Listening | null;
  #mode: FirewallMode = { kind: 'off' };

  static async open(upstream: Upstream, middle: ManInTheMiddle): Promise<Gate> {
    const server = createServer((socket) => gate.#pass(socket));
    const gate = new Gate(upstream, middle, await listening(server));
    return gate;
  }

  private constructor(upstream: Upstream, middle: ManInTheMiddle, started: Listening) {
    this.#upstream = upstream;
    this.#middle = middle;
    this.#listening = started;
    this.port = started.port;
  }

  async setMode(mode: FirewallMode): Promise<void> {
    this.#mode = mode;
    if (mode.kind === 'refuse') await this.close();
    else if (this.#listening !== null) for (const socket of this.#listening.sockets) socket.destroy();
    else
      this.#listening = await listening(
        createServer((socket) => this.#pass(socket)),
        { port: this.port },
      );
  }

  async close(): Promise<void> {
    await this.#listening?.close();
    this.#listening = null;
  }

  #pass(socket: Socket): void {
    const mode = this.#mode;
    switch (mode.kind) {
      case 'off':
        splice(socket, connect(this.#upstream.port, '127.0.0.1'));
        return;
      case 'inspect':
        if (mode.source === undefined || mode.source === socket.remoteAddress) {
          this.#middle.inspect(socket, this.#upstream, mode.authority ?? null);
        } else splice(socket, connect(this.#upstream.port, '127.0.0.1'));
        return;
      case 'block-page':
        this.#middle.block(socket);
        return;
      case 'drop':
        socket.resume();
        return;
      case 'reset':
        socket.once('data', () => socket.resetAndDestroy());
        return;
      case 'refuse':
        socket.destroy();
        return;
    }
  }
}

function splice(near: Socket, far: Socket): void {
  far.on('error', () => near.destroy()).on('close', () => near.destroy());
  near.on('close', () => far.destroy());
  near.pipe(far).pipe(near);
}
