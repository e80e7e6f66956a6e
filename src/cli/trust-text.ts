import type { TrustProfile } from '../tls/trust.ts';
import { type Certificate, formatDistinguishedName } from '../core/certificate.ts';
import { type Baseline, trustUnder, type Trust } from '../tls/trust.ts';
import type { RefusedBaseline } from '../checks/tls-genuine/chain-case.ts';
import { SHIPPED_PINS } from '../trust/load-trust.ts';

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

/** The command does not contain the fingerprint, because users must obtain it from an independent source. */
export function comparisonLines(certificate: Certificate, target: string): readonly string[] {
  return [
    'No configured key and no public authority confirms this chain. Its last certificate is:',
    ...certificateLines(certificate),
    "An inspecting device's chain can look the same, so --yes is not enough. Obtain the SHA-256 fingerprint on a",
    `different path: connect to ${target} from another network, or export the authority from a FortiGate. If`,
    'both fingerprints are equal, run this command with the fingerprint from the other path:',
    '  ftm-watch trust learn --fingerprint SHA256',
    'If they differ, this path is inspected. Learn the chain on another path',
  ];
}

function day(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

interface TrustOverview {
  readonly target: string;
  readonly profile: TrustProfile;
  readonly trust: Trust;
  readonly baseline: Baseline | null;
  readonly refusedBaseline: RefusedBaseline | null;
  readonly baselineFile: string;
}

const PROFILES: Readonly<Record<TrustProfile, string>> = {
  fortinet:
    'a certificate is genuine if it is verified by the key of a Fortinet authority, or by a configured or learned key',
  public:
    'a certificate is genuine if it is verified by an authority that browsers trust, or by a configured or learned key',
  pinned: 'a certificate is genuine only if it is verified by a configured or learned key',
};

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
    'Trusted authorities:',
    ...(anchors.length === 0
      ? ['  none']
      : anchors.flatMap(({ certificate, label }) => [
          ...certificateLines(certificate),
          `    ${sourceOf(certificate.pin, label)}`,
        ])),
    ...(profile === 'public'
      ? ["  Mozilla's root certificates, as included in Node (this machine's certificate store is not used)"]
      : []),
    '',
    'Pinned keys (used only if the server sends a certificate with this key):',
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
  if (baseline === null)
    return [
      `No learned chain in ${file}. To learn one, run "ftm-watch trust learn" on a path that is known to be clean`,
    ];
  return [
    `Learned on ${new Date(baseline.learnedAt).toISOString()}, in ${file}:`,
    ...baseline.leaves.flatMap(certificateLines),
    ...baseline.authorities.flatMap(certificateLines),
  ];
}

function refusedLines({ baseline, unconfirmed }: RefusedBaseline, file: string): readonly string[] {
  return [
    `The chain that was learned on ${new Date(baseline.learnedAt).toISOString()} (in ${file}) is not used, because no`,
    'configured key, public authority or typed fingerprint confirms its last certificate. It may be the chain of an',
    'inspecting device. The last certificate is:',
    ...certificateLines(unconfirmed),
    'To learn the chain again, run this on a path that is known to be clean: ftm-watch trust learn',
  ];
}
