import { X509Certificate } from 'node:crypto';
import type { CaptureResult } from '../capture/judge-capture.ts';
import { parseCertificate } from '../tls/parse-certificate.ts';
import { certificatePem, chainPem } from '../tls/pem.ts';
import type { CapturedChain, Certificate } from '../core/certificate.ts';
import { formatDistinguishedName, shortName } from '../tls/names.ts';
import { chainKey } from '../tls/sent-chain.ts';
import type { EndpointObservation, MailObservation } from '../core/observation.ts';
import type { PathObservation } from '../core/round.ts';
import type { JudgedEndpoint } from '../checks/tls-genuine/judge-path.ts';
import type { StoredCertificate, StoredHistory } from '../store/stored-history.ts';
import type { RoundResult } from '../checks/round-result.ts';
import { fileName } from './report-contents.ts';
import { isoTime } from '../core/time-text.ts';
import type { Verdict } from '../checks/tls-genuine/chain-case.ts';
import type { EpochMs } from '../core/clock.ts';

export interface SeenChain {
  readonly file: string;
  readonly target: string;
  /** How the server was reached: at an address, through a proxy, with a different server name, or over SMTP. */
  readonly way: string;
  /** Null if the chain was received for comparison only, or from a mail server. */
  readonly judgement: ReturnType<typeof shortJudgement> | null;
  readonly certificates: readonly CertificateJson[];
  /** Certificates that could not be parsed or exceeded the limit. */
  readonly dropped: number;
  readonly pem: string;
}

export type CertificateJson = ReturnType<typeof certificateToJson>;

type Sighting = Pick<SeenChain, 'target' | 'way' | 'judgement'> & { readonly chain: CapturedChain };

/** One entry for each network path on which a chain was received. The licence server's chains come first. */
export function seenChains({ observations, targets }: RoundResult): readonly SeenChain[] {
  const {
    path: { licenseServer, burst, services, knownAddresses },
    controls,
    mail,
  } = observations;
  const judgements = new Map(
    targets.flatMap(({ tls: { endpoints } }) => endpoints.map((one) => [one.endpoint, one] as const)),
  );
  const paths = [licenseServer, ...services, ...controls];
  const sightings = [
    ...paths.flatMap((path) => sightingsOf(path, judgements)),
    ...[...knownAddresses, ...othersThan(licenseServer, burst)].flatMap((endpoint) => ofEndpoint(endpoint, null)),
    ...mail.flatMap(ofMail),
  ];
  return sightings.map((sighting, index) => seenChain(sighting, index + 1));
}

/** Only the connections that received a new certificate. The others repeat known chains. */
function othersThan(
  { endpoints }: PathObservation,
  burst: readonly EndpointObservation[],
): readonly EndpointObservation[] {
  const seen = new Set(endpoints.map(leafOf));
  return burst.filter((endpoint) => {
    const isNew = !seen.has(leafOf(endpoint));
    seen.add(leafOf(endpoint));
    return isNew;
  });
}

function leafOf({ tls }: EndpointObservation): string | null {
  return tls?.chain?.certificates[0]?.fingerprint ?? null;
}

/** Certificates that a daemon has saved. In each file, the dates precede the certificates. */
export function keptCertificates(history: StoredHistory): readonly { readonly file: string; readonly pem: string }[] {
  if (history.kind !== 'read') return [];
  return history.certificates.map((certificate, index) => ({
    file: `history-${ordinal(index + 1)}-${fileName(certificate.target)}.pem`,
    pem: keptPem(certificate),
  }));
}

/** The distinct chains in the packet captures. */
export function capturedCertificates(
  capture: CaptureResult | null,
): readonly { readonly file: string; readonly pem: string }[] {
  const chains = new Map(
    (capture?.connections ?? []).flatMap(({ chain, ...connection }) =>
      chain === null ? [] : [[chainKey(chain.certificates), { ...connection, chain }] as const],
    ),
  );
  return [...chains.values()].map(({ seen: { client, server, startedAt }, file, chain }, index) => ({
    file: `capture-${ordinal(index + 1)}-${fileName(server)}.pem`,
    pem: `Sent by ${server} to ${client}${file.isRelative ? '' : ` at ${isoTime(startedAt)}`}\n${chainPem(chain)}`,
  }));
}

function keptPem({ target, firstSeen, lastSeen, pem }: StoredCertificate): string {
  return (
    `Received from ${target} between ${isoTime(firstSeen)} and ${isoTime(lastSeen)}\n` +
    `${pem.endsWith('\n') ? pem : `${pem}\n`}`
  );
}

function sightingsOf(
  path: PathObservation,
  judgements: ReadonlyMap<EndpointObservation, JudgedEndpoint>,
): readonly Sighting[] {
  return [
    ...path.endpoints.flatMap((endpoint) => ofEndpoint(endpoint, judgements.get(endpoint) ?? null)),
    ...path.references.flatMap(({ kind, label, outcome: { chain } }) =>
      chain === null ? [] : [{ target: path.subject, way: `for comparison: ${kind} ${label}`, judgement: null, chain }],
    ),
  ];
}

function ofEndpoint(
  { target, address, proxy, tls }: EndpointObservation,
  judged: JudgedEndpoint | null,
): readonly Sighting[] {
  const chain = tls?.chain ?? null;
  if (chain === null || chain.certificates.length === 0) return [];
  const way = proxy === null ? address : `${address} through ${proxy}`;
  return [{ target, way, judgement: judged === null ? null : shortJudgement(judged), chain }];
}

/** The root is the last certificate. */
function ofMail({ server, tls }: MailObservation): readonly Sighting[] {
  return tls === undefined ? [] : [{ target: server, way: 'SMTP', judgement: null, chain: tls.chain }];
}

function shortJudgement({ judgement: { verdict, confidence, summary, wouldSettle } }: JudgedEndpoint) {
  return { verdict, confidence, summary, settle: wouldSettle };
}

function seenChain({ target, way, judgement, chain }: Sighting, number: number): SeenChain {
  return {
    file: `${ordinal(number)}-${fileName(target)}.pem`,
    target,
    way,
    judgement,
    certificates: chain.certificates.map(certificateToJson),
    dropped: chain.dropped,
    pem: chainPem(chain),
  };
}

function certificateToJson(certificate: Certificate) {
  const { serial, isAuthority, dnsNames, ipAddresses, key, pin, signatureAlgorithm, fingerprint } = certificate;
  return {
    subject: formatDistinguishedName(certificate.subject),
    issuer: formatDistinguishedName(certificate.issuer),
    serial,
    notBefore: isoTime(certificate.notBefore),
    notAfter: isoTime(certificate.notAfter),
    isAuthority,
    names: [...dnsNames, ...ipAddresses],
    key,
    pin,
    signatureAlgorithm,
    sha256: fingerprint,
  };
}

function ordinal(number: number): string {
  return String(number).padStart(2, '0');
}

/** An issuer of certificates that a target presented, including former issuers. */
export interface SeenIssuer {
  readonly target: string;
  readonly name: string;
  readonly issuer: string;
  readonly certificates: number;
  /** In ISO 8601 format in UTC. */
  readonly firstSeen: string;
  readonly lastSeen: string;
  /** In the current round. Null if no certificate from this issuer was presented. */
  readonly verdict: Verdict | null;
}

/** A root authority that FortiAuthenticator must trust for a mail server. */
export interface MailRoot {
  readonly server: string;
  readonly subject: string;
  readonly sha256: string;
  readonly pem: string;
}

/** Excludes roots that were not verified, because they can belong to an inspecting device. */
export function mailRoots(mail: readonly MailObservation[]): readonly MailRoot[] {
  return mail.flatMap(({ server, tls }) => {
    if (tls === undefined || tls.root === null || !tls.isVerified) return [];
    const { root } = tls;
    const subject = formatDistinguishedName(root.subject);
    return [{ server, subject, sha256: root.fingerprint, pem: certificatePem(root) }];
  });
}

interface IssuerSighting {
  readonly target: string;
  readonly leaf: Certificate;
  readonly firstSeen: EpochMs;
  readonly lastSeen: EpochMs;
  readonly verdict: Verdict | null;
}

/** Grouped by target, most recently seen first. */
export function seenIssuers(examination: RoundResult, history: StoredHistory): readonly SeenIssuer[] {
  const sightings = [...ofRound(examination), ...ofHistory(history)];
  const groups = Map.groupBy(sightings, ({ target, leaf }) => `${target}\n${formatDistinguishedName(leaf.issuer)}`);
  return [...groups.values()]
    .flatMap(merged)
    .toSorted((a, b) => a.target.localeCompare(b.target, 'en') || b.lastSeen.localeCompare(a.lastSeen, 'en'));
}

function ofRound({ targets, observations }: RoundResult): readonly IssuerSighting[] {
  const at = observations.startedAt;
  return targets.flatMap(({ path, tls: { endpoints } }) =>
    endpoints.flatMap(({ outcome, judgement }) => {
      const leaf = outcome.chain?.certificates[0];
      return leaf === undefined
        ? []
        : [{ target: path.subject, leaf, firstSeen: at, lastSeen: at, verdict: judgement.verdict }];
    }),
  );
}

function ofHistory(history: StoredHistory): readonly IssuerSighting[] {
  if (history.kind !== 'read') return [];
  return history.certificates.flatMap(({ target, pem, firstSeen, lastSeen }) => {
    const leaf = readLeaf(pem);
    return leaf === null ? [] : [{ target, leaf, firstSeen, lastSeen, verdict: null }];
  });
}

function readLeaf(pem: string): Certificate | null {
  try {
    return parseCertificate(new X509Certificate(pem).raw);
  } catch {
    return null;
  }
}

function merged(sightings: readonly IssuerSighting[]): readonly SeenIssuer[] {
  const [first] = sightings;
  if (first === undefined) return [];
  const { target, leaf } = first;
  const issuer = formatDistinguishedName(leaf.issuer);
  return [
    {
      target,
      name: shortName(leaf.issuer) ?? issuer,
      issuer,
      certificates: new Set(sightings.map((one) => one.leaf.fingerprint)).size,
      firstSeen: isoTime(Math.min(...sightings.map((one) => one.firstSeen))),
      lastSeen: isoTime(Math.max(...sightings.map((one) => one.lastSeen))),
      verdict: sightings.find(({ verdict }) => verdict !== null)?.verdict ?? null,
    },
  ];
}
