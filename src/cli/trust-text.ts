import type { TrustProfile } from '../tls/trust.ts';
import { type Certificate, formatDistinguishedName } from '../core/certificate.ts';
import { type Baseline, trustUnder, type Trust } from '../tls/trust.ts';
import type { RefusedBaseline } from '../checks/tls-genuine/chain-case.ts';
import { SHIPPED_PINS } from '../trust/load-trust.ts';

/** Describes one certificate on four indented lines, enough for a comparison with another tool's output. */
export function certificateLines(certificate: Certificate): readonly string[] {
  const names = certificate.dnsNames.slice(0, 5).join(', ');
  return [
    `  ${formatDistinguishedName(certificate.subject)}${names === '' ? '' : ` (${names})`}`,
    `    issued by ${formatDistinguishedName(certificate.issuer)}, ${day(certificate.notBefore)} to ` +
      `${day(certificate.notAfter)}, ${certificate.key}`,
    `    SHA-256 ${certificate.fingerprint}`,
    `    ${certificate.pin}`,
  ];
}

/**
 * Explains what to compare, and what to type afterwards. The value itself is not offered for copying, because it must
 * come from a different source.
 */
export function comparisonLines(certificate: Certificate, target: string): readonly string[] {
  return [
    'No configured key and no public authority confirms this chain. It rests on:',
    ...certificateLines(certificate),
    "An inspecting device's chain looks the same, whatever names it carries, so --yes does not do. Compare this " +
      'SHA-256 with one that did not',
    `come over this path: of ${target} seen from another network, or of the authority as a FortiGate exports it. ` +
      'If they are equal, type',
    'the one that you have from there:',
    '  ftm-watch trust learn --fingerprint SHA256',
    'If they differ, this path is inspected. Learn from another one',
  ];
}

function day(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

interface TrustOverview {
  /** `host:port` */
  readonly target: string;
  readonly profile: TrustProfile;
  readonly trust: Trust;
  readonly baseline: Baseline | null;
  readonly refusedBaseline: RefusedBaseline | null;
  readonly baselineFile: string;
}

const PROFILES: Readonly<Record<TrustProfile, string>> = {
  fortinet:
    "a certificate is genuine under one of Fortinet's own authorities, by key, or under what is configured or learned",
  public:
    'a certificate is genuine under one of the authorities that browsers trust, or under what is configured or learned',
  pinned: 'a certificate is genuine only under what is configured or learned',
};

/** Formats everything that is trusted for one target, and why: `ftm-watch trust show`. */
export function renderTrust({
  target,
  profile,
  trust,
  baseline,
  refusedBaseline,
  baselineFile,
}: TrustOverview): string {
  const { pins, anchors } = trustUnder(profile, trust);
  const configured = pins.filter(({ origin }) => origin === 'configured');
  return [
    `${target}, profile ${profile}: ${PROFILES[profile]}`,
    '',
    'Authorities to verify under:',
    ...(anchors.length === 0
      ? ['  none']
      : anchors.flatMap(({ certificate, label }) => [
          ...certificateLines(certificate),
          `    ${sourceOf(certificate.pin, label)}`,
        ])),
    ...(profile === 'public' ? ["  Mozilla's roots, as they come with Node; never this machine's own store"] : []),
    '',
    'Pinned keys (a pin only confirms a certificate that is sent):',
    ...(configured.length === 0 ? ['  none configured'] : configured.map(({ pin }) => `  ${pin}, trust.pins`)),
    '',
    ...(refusedBaseline === null ? baselineLines(baseline, baselineFile) : refusedLines(refusedBaseline, baselineFile)),
    '',
  ].join('\n');
}

function sourceOf(pin: string, label: string): string {
  const shipped = SHIPPED_PINS.find((known) => known.pin === pin);
  return shipped === undefined ? `configured: ${label}` : `shipped: ${shipped.label}; ${shipped.source}`;
}

function baselineLines(baseline: Baseline | null, file: string): readonly string[] {
  if (baseline === null) return [`Learned: nothing in ${file} ("ftm-watch trust learn" on a path known to be clean)`];
  return [
    `Learned on ${new Date(baseline.learnedAt).toISOString()}, in ${file}:`,
    ...baseline.leaves.flatMap(certificateLines),
    ...baseline.authorities.flatMap(certificateLines),
  ];
}

function refusedLines({ baseline, unconfirmed }: RefusedBaseline, file: string): readonly string[] {
  return [
    `Learned on ${new Date(baseline.learnedAt).toISOString()}, in ${file}, but not used: no configured key, no ` +
      'public authority and no typed',
    'fingerprint confirms the certificate that it rests on. An inspecting device may have been learned:',
    ...certificateLines(unconfirmed),
    'Learn again, on a path known to be clean: ftm-watch trust learn',
  ];
}
