import { hostOf } from '../../core/addresses.ts';
import type { Certificate, SentChain, CapturedChain, DistinguishedName } from '../../core/certificate.ts';
import { attributeValues, isSameName, called, inFull, formatDistinguishedName } from '../../tls/names.ts';
import { chainKey, sentChain } from '../../tls/sent-chain.ts';
import {
  compareBaseline,
  type BaselineMatch,
  type Baseline,
  type ProductPattern,
  type Trust,
  type TrustProfile,
  organizationKey,
  type PinnedCertificate,
} from '../../tls/trust.ts';
import { compareLeaf, type LeafComparison } from '../outside.ts';
import { matchesName } from '../../tls/extensions.ts';
import {
  type SignatureChecks,
  findChainTrust,
  type ChainTrust,
  type ChainTrustOptions,
  type TrustOptions,
} from '../../tls/chain.ts';
import type { Confidence, Finding } from '../../engine/model.ts';
import type { EpochMs, Millis } from '../../core/clock.ts';
import type { CloserLook, TlsOutcome } from '../../core/observation.ts';
import type { OutsideView } from '../../core/outside.ts';
import { oncePer } from '../../core/once-per.ts';
import { dayText } from '../../core/time-text.ts';

/**
 * `known-key`: pinned or learned. `named`: valid for the requested name. `known-subject`: same subject as a learned
 * leaf certificate. `device`: a Fortinet unit's factory certificate.
 */
type Identity = 'known-key' | 'named' | 'known-subject' | 'device' | 'other';

/** `clock`: this machine's clock is wrong, because a public control host's certificate also seems to be out of date. */
type Dates = 'valid' | 'expired' | 'not-yet-valid' | 'clock';

export interface ChainCase {
  readonly evidence: TlsEvidence;
  readonly leaf: Certificate;
  readonly sent: SentChain;
  readonly chainTrust: ChainTrust;
  readonly claim: Claim;
  readonly identity: Identity;
  readonly dates: Dates;
  /** The certificate on the path to which `dates` refers. Null if all dates are valid. */
  readonly outdated: Certificate | null;
  readonly baselineMatch: BaselineMatch;
  /** The chain leads to a key that the profile accepts. */
  readonly accepted: boolean;
  /** Intermediate certificate that the path requires but that the server did not send. */
  readonly gap: Certificate | null;
  /** What other networks are presented. Null if that is not known. */
  readonly elsewhere: LeafComparison | null;
  readonly checks: SignatureChecks;
}

export function openCase(sent: SentChain, evidence: TlsEvidence, checks: SignatureChecks): ChainCase {
  const [leaf] = sent;
  const chainTrust = chainTrustOf(sent, evidence, checks);
  return {
    evidence,
    leaf,
    sent,
    chainTrust,
    claim: claimOf(chainTrust, sent, evidence.trust),
    identity: identify(leaf, evidence),
    ...judgeDates(chainTrust, evidence, checks),
    accepted: isAccepted(chainTrust, evidence),
    baselineMatch: compareBaseline(evidence.baseline, leaf, chainTrust.authorities),
    elsewhere: compareLeaf(evidence.outside?.certificate ?? null, leaf),
    gap:
      chainTrust.path
        .slice(1, -1)
        .find((link) => !sent.some((certificate) => certificate.fingerprint === link.fingerprint)) ?? null,
    checks,
  };
}

function isAccepted({ kind }: ChainTrust, { profile }: Pick<TlsEvidence, 'profile'>): boolean {
  return kind === 'trusted' || (kind === 'public' && profile === 'public');
}

export function isRightful(identity: Identity): boolean {
  return identity !== 'other' && identity !== 'device';
}

export function chainTrustOf(sent: SentChain, evidence: TlsEvidence, checks: SignatureChecks): ChainTrust {
  return findChainTrust(sent, chainTrustOptions(evidence, checks));
}

export function chainTrustOptions(evidence: TlsEvidence, checks: SignatureChecks): ChainTrustOptions {
  return {
    profile: evidence.profile,
    trust: evidence.trust,
    baseline: evidence.baseline,
    pinned: evidence.pinned ?? null,
    helpers: evidence.references.flatMap(({ chain }) => chain.certificates.slice(1)),
    host: evidence.serverName ?? hostOf(evidence.target),
    now: evidence.now,
    checks,
  };
}

export function identify(leaf: Certificate, evidence: TlsEvidence): Identity {
  const { baseline, profile, serverName, target, trust } = evidence;
  const pinned = [...trust.pins.map((pin) => pin.pin), ...(baseline?.leaves ?? []).map((known) => known.pin)];
  if (pinned.includes(leaf.pin) || evidence.pinned?.fingerprint === leaf.fingerprint) return 'known-key';
  const names = serverName === null ? [hostOf(target)] : [serverName, hostOf(target)];
  // Fortinet does not publish the names in the genuine certificate, so a matching CN is sufficient under Fortinet's
  // private authority.
  if (names.some((name) => matchesName(leaf, name, { commonName: profile === 'fortinet' }))) return 'named';
  if (
    attributeValues(leaf.subject, 'CN').length > 0 &&
    baseline?.leaves.some((known) => isSameName(known.subject, leaf.subject))
  ) {
    return 'known-subject';
  }
  return deviceOf(leaf) === null ? 'other' : 'device';
}

function judgeDates(
  chainTrust: ChainTrust,
  evidence: TlsEvidence,
  checks: SignatureChecks,
): Pick<ChainCase, 'dates' | 'outdated'> {
  const { now } = evidence;
  // The last certificate's dates are not checked, because this certificate is trusted directly.
  const links = chainTrust.path.length > 1 ? chainTrust.path.slice(0, -1) : chainTrust.path;
  const isExpired = (certificate: Certificate): boolean => now > certificate.notAfter;
  const isEarly = (certificate: Certificate): boolean => now < certificate.notBefore;
  const wrong = links.some(isExpired) ? isExpired : isEarly;
  const outdated = links.find(wrong) ?? null;
  if (outdated === null) return { dates: 'valid', outdated };
  if (publicControlLeaves(evidence, checks).some(wrong)) return { dates: 'clock', outdated };
  return { dates: wrong === isExpired ? 'expired' : 'not-yet-valid', outdated };
}

function publicControlLeaves(evidence: TlsEvidence, checks: SignatureChecks): readonly Certificate[] {
  return evidence.controls.flatMap(({ target, chain }) => {
    const sent = sentChain(chain);
    return sent !== null && isPublicChain(sent, hostOf(target), evidence, checks) ? [sent[0]] : [];
  });
}

/** Returns whether a control host's chain ends at one of Mozilla's roots, regardless of its dates. */
export function isPublicChain(sent: SentChain, host: string, evidence: TlsEvidence, checks: SignatureChecks): boolean {
  const { now, trust } = evidence;
  const publicOnly = { pins: [], anchors: [], publicRoots: trust.publicRoots };
  // Cached, because the same few control hosts are checked for each target.
  return checks.once(`public ${host} ${chainKey(sent)}`, () => {
    const options = { profile: 'public', trust: publicOnly, baseline: null, helpers: [], host, now, checks } as const;
    const { kind } = findChainTrust(sent, options);
    return kind === 'unfinished' ? null : kind === 'public';
  });
}

/** Everything except the current round's observations. */
export interface TlsGrounds {
  readonly trust: Trust;
  readonly profile: TrustProfile;
  readonly products: readonly ProductPattern[];
  readonly baseline: Baseline | null;
  readonly pinned?: PinnedCertificate | null;
}

export interface TlsEvidence extends TlsGrounds {
  readonly target: string;
  /** Null if no SNI was sent. */
  readonly serverName: string | null;
  readonly outcome: TlsOutcome;
  /** Present if TLS to this address is blocked. */
  readonly closer?: CloserLook;
  /** Lower bound of the round trip to this address. Absent if it is unknown. */
  readonly roundTrip?: Millis;
  readonly controls: readonly ControlChain[];
  readonly references: readonly ReferenceChain[];
  /** Absent if other networks were not asked. */
  readonly outside?: OutsideView;
  /** Names of response headers that only proxies and filters add. */
  readonly traces: readonly string[];
  /** Already corrected if this machine's clock is known to be wrong. */
  readonly now: EpochMs;
}

export interface ControlChain {
  readonly target: string;
  readonly chain: CapturedChain;
}

/**
 * A chain from the same target. `resolver`: at an address that only another resolver returned. `address`: at a
 * different address. `server-name`: at the same address with a different SNI. `tls-version`: at the same address with
 * a different TLS version, because a device may inspect only one.
 */
export interface ReferenceChain {
  readonly label: string;
  readonly kind: 'resolver' | 'address' | 'server-name' | 'tls-version';
  readonly chain: CapturedChain;
}

/** Worst first. If a target's addresses have different verdicts, the worst applies. */
export const VERDICTS = [
  'intercepted',
  'interception-suspected',
  'blocked',
  'certificate-broken',
  'unknown',
  'vendor-ca-changed',
  'rotated',
  'genuine',
] as const;

export type Verdict = (typeof VERDICTS)[number];

export interface TlsJudgement {
  readonly verdict: Verdict;
  readonly confidence: Confidence;
  readonly product: string | null;
  readonly findings: readonly Finding[];
  readonly summary: string;
  /** Action that would lead to a definite result, worded as the end of a sentence. Null if the result is definite. */
  readonly wouldSettle: string | null;
  /** Found by verifying signatures, starting with the issuer. */
  readonly authorities: readonly Certificate[];
}

/**
 * Origin that the names in a chain claim. Names prove nothing, but a change on the vendor's side does not explain a
 * chain that claims to be from a different party.
 */
type Claim = 'vendor' | 'public' | 'other';

export function claimOf({ kind, path }: ChainTrust, sent: readonly Certificate[], trust: Trust): Claim {
  if (kind === 'public' || kind === 'vendor') return kind;
  const issuers = path.map(({ issuer }) => issuer);
  const top = issuers.at(-1);
  // A self-signed leaf has no authority, and only a CA certificate may sign other certificates.
  if (top === undefined || (kind === 'foreign' && path.length === 1) || isNoAuthority(top, sent)) return 'other';
  const vendors = vendorOrganizations(trust);
  if (issuers.every((issuer) => organizationsOf(issuer).some((organization) => vendors.has(organization))))
    return 'vendor';
  return isPublicName(top, trust) ? 'public' : 'other';
}

export function claimsVendor(issuer: DistinguishedName, trust: Trust): boolean {
  const vendors = vendorOrganizations(trust);
  return organizationsOf(issuer).some((organization) => vendors.has(organization));
}

function isNoAuthority(name: DistinguishedName, sent: readonly Certificate[]): boolean {
  const namesakes = sent.filter(({ subject }) => isSameName(subject, name));
  return namesakes.length > 0 && namesakes.every(({ isAuthority }) => !isAuthority);
}

const vendorOrganizations = oncePer(({ anchors, pins }: Trust): ReadonlySet<string> => {
  const names = [...anchors.map(({ certificate }) => certificate.subject), ...pins.flatMap(({ name }) => name ?? [])];
  return new Set(names.flatMap(organizationsOf));
});

function isPublicName(name: DistinguishedName, { publicRoots }: Trust): boolean {
  return (
    publicRoots.bySubject(name).length > 0 ||
    organizationsOf(name).some((organization) => publicRoots.hasOrganization(organization))
  );
}

const organizationsOf = oncePer((name: DistinguishedName): readonly string[] =>
  attributeValues(name, 'O').map(organizationKey),
);

/** Such as `FG3K4ETB19900078` and `FACVM0000000001`. */
const SERIAL_NUMBER = /^(?!FORTI)F(?=[A-Z]*\d)[A-Z0-9]{10,23}$/u;

/** The organizational unit contains a product name such as `FortiGate`. */
const PRODUCT_UNIT = /^Forti[A-Z][A-Za-z]{1,24}$/u;

/** Fortinet products whose factory certificates do not always contain a serial number. */
const UNITS: ReadonlySet<string> = new Set([
  'FortiADC',
  'FortiAnalyzer',
  'FortiAuthenticator',
  'FortiCarrier',
  'FortiFirewall',
  'FortiGate',
  'FortiMail',
  'FortiManager',
  'FortiPAM',
  'FortiProxy',
  'FortiSandbox',
  'FortiWeb',
  'FortiWiFi',
]);

/**
 * Returns the product, such as `Fortinet FortiGate`, if the certificate looks like a factory certificate. The genuine
 * Fortinet authority signs factory certificates. Many units share one certificate, and the private key of at least one
 * has been published. Therefore, the chain alone does not prove that the peer is the licence server.
 */
export function deviceOf(certificate: Certificate): string | null {
  const names = attributeValues(certificate.subject, 'CN');
  const isSerial = names.some((value) => SERIAL_NUMBER.test(value));
  const isHost = certificate.dnsNames.length > 0 || names.some((value) => value.includes('.'));
  const unit = attributeValues(certificate.subject, 'OU').find((value) => PRODUCT_UNIT.test(value));
  if (unit !== undefined && (isSerial || (UNITS.has(unit) && !isHost))) return `Fortinet ${unit}`;
  if (!isSerial) return null;
  return names.some((value) => /^F[GW]/u.test(value)) ? 'Fortinet FortiGate' : 'Fortinet device';
}

export interface RefusedBaseline {
  readonly baseline: Baseline;
  readonly unconfirmed: Certificate;
}

/**
 * Returns the last certificate of a chain if neither a configured key nor a public root confirms it. A person must
 * verify this certificate, because an inspecting device's chain can contain the same names.
 */
export function unconfirmedEnd(sent: SentChain, options: Omit<ChainTrustOptions, 'baseline'>): Certificate | null {
  const { kind, path } = findChainTrust(sent, { ...options, baseline: null });
  switch (kind) {
    case 'trusted':
    case 'public':
    case 'vendor':
      return null;
    case 'weak':
      // The chain leads to a trusted key, but its signature algorithm can be forged, so only the leaf certificate is
      // certain.
      return sent[0];
    case 'foreign':
    case 'forged':
    case 'unfinished':
    case 'incomplete':
      return path.at(-1) ?? sent[0];
  }
}

/**
 * Returns null if a configured key, a public root, or a fingerprint that a person entered during learning confirms the
 * chain. Only the profile `fortinet` requires such a confirmation, because this profile is used to detect inspection.
 */
export function unconfirmedBaseline(baseline: Baseline, options: TrustOptions): Certificate | null {
  if (options.profile !== 'fortinet') return null;
  const ends = baseline.leaves.map((leaf) =>
    unconfirmedEnd([leaf, ...baseline.authorities], { ...options, helpers: [], host: hostOf(baseline.target) }),
  );
  return ends.find((end) => end !== null && !baseline.accepted.includes(end.fingerprint)) ?? null;
}

/** Without this finding, the person who learned the chain would expect it to be used. */
export function refusedBaselineFindings(subject: string, refused: RefusedBaseline | null): readonly Finding[] {
  if (refused === null) return [];
  return [
    {
      rule: 'learned-trust-is-confirmed',
      subject,
      expected:
        'A learned chain that is confirmed by a configured key, a public authority, or a fingerprint entered when it ' +
        'was learned',
      claim:
        `The chain learned on ${dayText(refused.baseline.learnedAt)} is not used, because its authority ` +
        `${called(refused.unconfirmed.subject)} was not confirmed.`,
      actual: describeRefused(refused),
      fullNames: inFull(refused.unconfirmed.subject),
      level: 'warning',
      suggests: null,
    },
  ];
}

export function describeRefused({ baseline, unconfirmed }: RefusedBaseline): string {
  const name = formatDistinguishedName(unconfirmed.subject);
  return (
    `The chain learned on ${dayText(baseline.learnedAt)} is not used, because its authority ${name} ` +
    `(SHA-256 ${unconfirmed.fingerprint}) was not confirmed. For details, run "ftm-watch trust learn"`
  );
}
