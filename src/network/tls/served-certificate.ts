import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { createSecureContext, type Server, type TLSSocket } from 'node:tls';
import type { Clock, EpochMs, Millis } from '../../core/clock.ts';
import { beat } from '../../system/beat.ts';
import type { OperatorLog } from '../../system/operator-log.ts';
import { readText } from '../../system/read-text.ts';
import { messageOf } from '../../text/message-of.ts';
import { parseAuthorities } from './authorities.ts';

/** The PEM files of a TLS server of ours. */
export interface ServedFiles {
  readonly certFile: string;
  readonly keyFile: string;
  /** Authorities of client certificates; null: none is asked for. */
  readonly clientCaFile: string | null;
  /** Lists of what these authorities have revoked. */
  readonly clientCrlFile: string | null;
}

/** What they hold. */
export interface ServedMaterial {
  readonly cert: string;
  readonly key: string;
  readonly ca?: string;
  readonly crl?: string;
}

export interface FollowDeps {
  readonly clock: Clock;
  readonly logger: OperatorLog;
  /**
   * Other client authorities are trusted, or other certificates revoked, than before: connections that were verified
   * under the former ones have to end. Those whose handshake was under way are closed already.
   */
  readonly onOtherClients: () => void;
}

/** How long a revoked client may stay. Reading four small files costs nothing that can be measured. */
const LOOK_EVERY: Millis = 5_000;

/**
 * The certificate that a TLS server of ours shows, and the client authorities that it trusts. The files are read again
 * every few seconds and on `refresh`: what is new counts without a restart, and what cannot be used leaves the former
 * certificate and authorities in place.
 */
export class ServedCertificate {
  readonly #files: ServedFiles;
  readonly #what: string;
  #material: ServedMaterial;
  #served: { readonly server: Server; readonly deps: FollowDeps } | null = null;
  /** Connections whose handshake is not done: it goes on under the authorities with which it began. */
  readonly #handshakes = new Map<string, Socket>();
  /** Of the last attempt, so that each problem is logged once. */
  #problem: string | null = null;

  private constructor(files: ServedFiles, what: string, material: ServedMaterial) {
    this.#files = files;
    this.#what = what;
    this.#material = material;
  }

  /**
   * @param what whose it is, after "of": `the status page`
   * @throws {Error} naming the file that cannot be read or used, or the key that belongs to another certificate
   */
  static async read(files: ServedFiles, what: string): Promise<ServedCertificate> {
    return new ServedCertificate(files, what, await readMaterial(files, what));
  }

  material(): ServedMaterial {
    return this.#material;
  }

  /** When it ends; null for what is no certificate. */
  end(): EpochMs | null {
    try {
      return new X509Certificate(this.#material.cert).validToDate.getTime();
    } catch {
      return null;
    }
  }

  /** Puts what the files hold now into the server. Never rejects. */
  async refresh(): Promise<void> {
    if (this.#served === null) return;
    const { server, deps } = this.#served;
    try {
      const material = await readMaterial(this.#files, this.#what);
      if (isSame(material, this.#material)) return;
      server.setSecureContext(material);
      const before = this.#material;
      this.#material = material;
      this.#problem = null;
      deps.logger.info({ certFile: this.#files.certFile }, `Took the new certificate of ${this.#what}`);
      if (before.ca === material.ca && before.crl === material.crl) return;
      for (const socket of this.#handshakes.values()) socket.destroy();
      deps.onOtherClients();
    } catch (error) {
      const problem = messageOf(error);
      if (problem === this.#problem) return;
      this.#problem = problem;
      deps.logger.warn({ error: problem }, `Cannot take the new certificate of ${this.#what}: the one before it stays`);
    }
  }

  /** Keeps the server up to date until the returned function is called. */
  follow(server: Server, deps: FollowDeps): () => void {
    this.#served = { server, deps };
    server.on('connection', (socket: Socket) => {
      const peer = peerOf(socket);
      this.#handshakes.set(peer, socket);
      socket.once('close', () => this.#handshakes.delete(peer));
    });
    server.on('secureConnection', (socket: TLSSocket) => this.#handshakes.delete(peerOf(socket)));
    const unfollow = beat(deps.clock, LOOK_EVERY, () => void this.refresh());
    return () => {
      unfollow();
      this.#served = null;
    };
  }
}

/** Tells the connections of one server apart; the same for a socket and for TLS on it. */
function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress ?? ''} ${String(remotePort)}`;
}

async function readMaterial(files: ServedFiles, what: string): Promise<ServedMaterial> {
  const cert = await readText(files.certFile, `the certificate of ${what} from`);
  const key = await readText(files.keyFile, `the key of ${what} from`);
  if (!certificateIn(cert, files, what).checkPrivateKey(keyIn(key, files, what)))
    throw new Error(
      `Cannot use the key of ${what} in "${files.keyFile}": it belongs to another certificate than the one in ` +
        `"${files.certFile}"`,
    );
  const own = { cert, key };
  attempt(() => createSecureContext(own), `the certificate of ${what} in "${files.certFile}"`);
  if (files.clientCaFile === null) return own;
  const ca = await readText(files.clientCaFile, `the client authorities of ${what} from`);
  parseAuthorities(ca, files.clientCaFile);
  if (files.clientCrlFile === null) return { ...own, ca };
  const crl = await readText(files.clientCrlFile, `the revoked clients of ${what} from`);
  attempt(() => createSecureContext({ ca, crl }), `the revocation lists of ${what} in "${files.clientCrlFile}"`);
  return { ...own, ca, crl };
}

function certificateIn(pem: string, { certFile }: ServedFiles, what: string): X509Certificate {
  return attempt(() => new X509Certificate(pem), `the certificate of ${what} in "${certFile}"`);
}

function keyIn(pem: string, { keyFile }: ServedFiles, what: string): KeyObject {
  return attempt(() => createPrivateKey(pem), `the key of ${what} in "${keyFile}"`);
}

/** @throws {Error} naming the file, where OpenSSL only says what it stumbled over */
function attempt<T>(use: () => T, what: string): T {
  try {
    return use();
  } catch (error) {
    throw new Error(`Cannot use ${what}: expected PEM without a passphrase: ${messageOf(error)}`, { cause: error });
  }
}

function isSame(one: ServedMaterial, other: ServedMaterial): boolean {
  return one.cert === other.cert && one.key === other.key && one.ca === other.ca && one.crl === other.crl;
}
