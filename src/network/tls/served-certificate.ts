import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { createSecureContext, type Server, TLSSocket } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import type { Clock, EpochMs, Millis } from '../../core/clock.ts';
import { beat } from '../../system/clock.ts';
import type { OperatorLog } from '../../system/operator-log.ts';
import { readText } from '../../system/json-file.ts';
import { messageOf } from '../../text/message-of.ts';
import { parseAuthorities } from '../../tls/pem.ts';
import { parseDistinguishedName } from '../../tls/names.ts';
import { parseSubjectAltName } from '../../tls/parse-certificate.ts';

interface ServedFiles {
  readonly certFile: string;
  readonly keyFile: string;
  readonly clientCaFile: string | null;
  readonly clientCrlFile: string | null;
}

interface ServedMaterial {
  readonly cert: string;
  readonly key: string;
  readonly ca?: string;
  readonly crl?: string;
}

interface FollowDeps {
  readonly clock: Clock;
  readonly logger: OperatorLog;
  /**
   * Called when the client authorities or the revocation list change. The server must then close all connections that
   * were verified before.
   */
  readonly onOtherClients: () => void;
}

/** Interval at which the certificate files are read. A revoked client is disconnected after this time at the latest. */
const LOOK_EVERY: Millis = 5_000;

/**
 * The files are read again every few seconds and on `refresh`. If a new file is unusable, the previous certificate and
 * authorities remain in use.
 */
export class ServedCertificate {
  readonly #files: ServedFiles;
  readonly #what: string;
  #material: ServedMaterial;
  /**
   * The last material that could not be used. Parsing a large revocation list takes 40 ms, and requests with a client
   * certificate cause a refresh.
   */
  #unusable: ServedMaterial | null = null;
  #served: { readonly server: Server; readonly deps: FollowDeps } | null = null;
  /** Handshakes in progress. Each uses the client authorities that were configured at its start. */
  readonly #handshakes = new Map<string, Socket>();
  /** The last problem with the files, stored so that each problem is logged only once. */
  #problem: string | null = null;

  private constructor(files: ServedFiles, what: string, material: ServedMaterial) {
    this.#files = files;
    this.#what = what;
    this.#material = material;
  }

  /**
   * @param what owner of the certificate, as named in messages, for example `the status page`
   * @throws {Error} with the file's name if a file is unusable or its key belongs to a different certificate
   */
  static async read(files: ServedFiles, what: string): Promise<ServedCertificate> {
    const material = await readMaterial(files, what);
    checkMaterial(material, files, what);
    return new ServedCertificate(files, what, material);
  }

  material(): ServedMaterial {
    return this.#material;
  }

  /** True if the certificate has a DNS name or an IP address as a subject alternative name. */
  hasAlternativeName(): boolean {
    return this.alternativeNames().length > 0;
  }

  /** DNS names and IP addresses. */
  alternativeNames(): readonly string[] {
    const { dnsNames, ipAddresses } = parseSubjectAltName(new X509Certificate(this.#material.cert).subjectAltName);
    return [...dnsNames, ...ipAddresses];
  }

  end(): EpochMs | null {
    try {
      return new X509Certificate(this.#material.cert).validToDate.getTime();
    } catch {
      return null;
    }
  }

  /** Never rejects. */
  async refresh(): Promise<void> {
    if (this.#served === null) return;
    const { server, deps } = this.#served;
    try {
      const material = await readMaterial(this.#files, this.#what);
      if ([this.#material, this.#unusable].some((known) => isDeepStrictEqual(known, material))) return;
      this.#unusable = material;
      checkMaterial(material, this.#files, this.#what);
      server.setSecureContext(material);
      const before = this.#material;
      this.#material = material;
      this.#unusable = null;
      this.#problem = null;
      deps.logger.info(
        { event: 'certificate-loaded', certFile: this.#files.certFile },
        `Loaded ${this.#what}'s new certificate`,
      );
      if (before.ca === material.ca && before.crl === material.crl) return;
      for (const socket of this.#handshakes.values()) socket.destroy();
      deps.onOtherClients();
    } catch (error) {
      const problem = messageOf(error);
      if (problem === this.#problem) return;
      this.#problem = problem;
      deps.logger.warn(
        { event: 'certificate-not-loaded', error: problem },
        `Cannot load ${this.#what}'s new certificate: the previous certificate is still in use`,
      );
    }
  }

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

/** A TCP socket and the TLS socket on top of it have the same key. */
function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress ?? ''} ${String(remotePort)}`;
}

async function readMaterial(files: ServedFiles, what: string): Promise<ServedMaterial> {
  const cert = await readText(files.certFile, `${what}'s certificate from`);
  const key = await readText(files.keyFile, `${what}'s key from`);
  const own = { cert, key };
  if (files.clientCaFile === null) return own;
  const ca = await readText(files.clientCaFile, `${what}'s client authorities from`);
  if (files.clientCrlFile === null) return { ...own, ca };
  return { ...own, ca, crl: await readText(files.clientCrlFile, `${what}'s revocation lists from`) };
}

/** @throws {Error} with the file's name if a file is unusable or its key belongs to a different certificate */
function checkMaterial({ cert, key, ca, crl }: ServedMaterial, files: ServedFiles, what: string): void {
  const certificate = attempt(() => new X509Certificate(cert), `${what}'s certificate in "${files.certFile}"`);
  const privateKey = attempt(() => createPrivateKey(key), `${what}'s key in "${files.keyFile}"`);
  if (!certificate.checkPrivateKey(privateKey))
    throw new Error(
      `Cannot use ${what}'s key in "${files.keyFile}": it does not belong to the certificate in ` +
        `"${files.certFile}"`,
    );
  attempt(() => createSecureContext({ cert, key }), `${what}'s certificate in "${files.certFile}"`);
  if (ca === undefined) return;
  parseAuthorities(ca, files.clientCaFile ?? '');
  if (crl === undefined) return;
  attempt(() => createSecureContext({ ca, crl }), `${what}'s revocation lists in "${files.clientCrlFile ?? ''}"`);
}

/** @throws {Error} with the file's name, because OpenSSL's error does not contain it */
function attempt<T>(use: () => T, what: string): T {
  try {
    return use();
  } catch (error) {
    throw new Error(`Cannot use ${what}: expected PEM without a passphrase: ${messageOf(error)}`, { cause: error });
  }
}

/** Returns an empty list if there is no certificate or the server's `ca` did not verify it. */
export function verifiedPeerNames(socket: Socket): readonly string[] {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return [];
  const certificate = socket.getPeerX509Certificate();
  const { attributes } = parseDistinguishedName(certificate?.subject);
  const commonNames = attributes.filter(({ type }) => type === 'CN').map(({ value }) => value);
  return [...commonNames, ...parseSubjectAltName(certificate?.subjectAltName).dnsNames];
}
