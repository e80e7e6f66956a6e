import { X509Certificate } from 'node:crypto';
import type { Server } from 'node:tls';
import type { Clock, EpochMs, Millis } from '../../core/clock.ts';
import { beat } from '../../system/beat.ts';
import type { OperatorLog } from '../../system/operator-log.ts';
import { readText } from '../../system/read-text.ts';
import { messageOf } from '../../text/message-of.ts';

/** The PEM files of a TLS server of ours. */
export interface ServedFiles {
  readonly certFile: string;
  readonly keyFile: string;
  /** Authorities of client certificates; null: none is asked for. */
  readonly clientCaFile: string | null;
  /** What of these authorities' does not count any more. */
  readonly clientCrlFile?: string | null;
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
  /** Other clients are to be believed than before. */
  readonly onOtherClients?: () => void;
}

const LOOK_EVERY: Millis = 60_000;

/**
 * The certificate that a TLS server of ours shows. Its files are read again each minute and on `refresh`: a renewed one
 * counts without a restart, and one that cannot be used leaves that of before in place.
 */
export class ServedCertificate {
  readonly #files: ServedFiles;
  readonly #what: string;
  #material: ServedMaterial;
  /** Of the last attempt, so that each problem is logged once. */
  #problem: string | null = null;

  private constructor(files: ServedFiles, what: string, material: ServedMaterial) {
    this.#files = files;
    this.#what = what;
    this.#material = material;
  }

  /**
   * @param what whose it is, after "of": `the status page`
   * @throws {Error} naming the file that cannot be read
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
  async refresh(
    server: Pick<Server, 'setSecureContext'>,
    { logger, onOtherClients }: Omit<FollowDeps, 'clock'>,
  ): Promise<void> {
    try {
      const material = await readMaterial(this.#files, this.#what);
      if (isSame(material, this.#material)) return;
      server.setSecureContext(material);
      const before = this.#material;
      this.#material = material;
      this.#problem = null;
      logger.info({ certFile: this.#files.certFile }, `Took the new certificate of ${this.#what}`);
      if (before.ca !== material.ca || before.crl !== material.crl) onOtherClients?.();
    } catch (error) {
      const problem = messageOf(error);
      if (problem === this.#problem) return;
      this.#problem = problem;
      logger.warn({ error: problem }, `Cannot take the new certificate of ${this.#what}: the one before it stays`);
    }
  }

  /** Until the returned function is called. */
  follow(server: Pick<Server, 'setSecureContext'>, { clock, ...deps }: FollowDeps): () => void {
    return beat(clock, LOOK_EVERY, () => void this.refresh(server, deps));
  }
}

async function readMaterial(files: ServedFiles, what: string): Promise<ServedMaterial> {
  const cert = await readText(files.certFile, `the certificate of ${what} from`);
  const key = await readText(files.keyFile, `the key of ${what} from`);
  if (files.clientCaFile === null) return { cert, key };
  const ca = await readText(files.clientCaFile, `the client authorities of ${what} from`);
  const { clientCrlFile = null } = files;
  if (clientCrlFile === null) return { cert, key, ca };
  return { cert, key, ca, crl: await readText(clientCrlFile, `the revoked clients of ${what} from`) };
}

function isSame(one: ServedMaterial, other: ServedMaterial): boolean {
  return one.cert === other.cert && one.key === other.key && one.ca === other.ca && one.crl === other.crl;
}
