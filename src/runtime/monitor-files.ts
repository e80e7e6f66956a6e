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

export interface MonitorFiles {
  readonly instruments: Instruments;
  readonly signatures: SignatureSet;
  readonly certificate: ServedCertificate | null;
}

/**
 * Also checks files that are read again for each use. Otherwise, a daemon could start with an empty key file and fail
 * hours later.
 * @throws {Error} with one line for each file that cannot be used
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
