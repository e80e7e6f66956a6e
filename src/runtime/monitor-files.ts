import { isFaultId } from '../checks/registry.ts';
import type { Config } from '../config/config.ts';
import { authorityFiles, secretSources } from '../config/print.ts';
import type { SignatureSet } from '../core/polling/signature.ts';
import { readAuthorities } from '../network/tls/secure-context.ts';
import { ServedCertificate } from '../network/tls/served-certificate.ts';
import { loadSignatures } from '../logs/signatures.ts';
import { allOrProblems } from '../system/all-problems.ts';
import { readSecret } from '../system/secret.ts';
import { createInstruments, type InstrumentDeps, type Instruments } from '../round/instruments.ts';

/** What a monitor works with of the files that its configuration names. */
export interface MonitorFiles {
  readonly instruments: Instruments;
  readonly signatures: SignatureSet;
  /** Of the log listener for TLS; null: there is none. */
  readonly certificate: ServedCertificate | null;
}

/**
 * Reads every file and secret that the configuration names, apart from those of the page. What is read again at each
 * use must be usable now too: a daemon that starts with an empty key finds out hours later.
 * @throws {Error} with each of them that cannot be used, on a line of its own
 */
export async function loadMonitorFiles(config: Config, deps: InstrumentDeps): Promise<MonitorFiles> {
  const { tls } = config.logs.syslog;
  const [instruments, signatures, certificate] = await allOrProblems([
    createInstruments(config, deps),
    loadSignatures(config.logs.signatureFiles, isFaultId),
    tls === null ? null : ServedCertificate.read(tls, 'the syslog listener'),
    allOrProblems(authorityFiles(config).map(readAuthorities)),
    allOrProblems(secretSources(config, (section) => section !== 'web').map((source) => readSecret(source, deps.env))),
  ]);
  return { instruments, signatures, certificate };
}
