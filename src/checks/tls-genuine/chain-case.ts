import { hostOf } from '../../core/addresses.ts';
import {
  type Certificate,
  chainKey,
  type SentChain,
  sentChain,
  attributeValues,
  isSameName,
  type CapturedChain,
  isInDate,
  type DistinguishedName,
  formatDistinguishedName,
} from '../../core/certificate.ts';
import {
  compareBaseline,
  type BaselineMatch,
  type Baseline,
  type ProductPattern,
  type Trust,
  type TrustProfile,
  organizationKey,
} from '../../tls/trust.ts';
import { matchesName } from '../../tls/extensions.ts';
import {
  type SignatureChecks,
  findChainTrust,
  type ChainTrust,
  type ChainTrustOptions,
  type TrustOptions,
} from '../../tls/chain.ts';
import type { Confidence, Finding } from '../../engine/model.ts';
import type { EpochMs } from '../../core/clock.ts';
import type { CloserLook, OpensslWord, TlsOutcome } from '../../core/observation.ts';
import { type Flaw, type FlawKind, endFlaws, lastingFlaws, called, inFull } from '../../tls/flaws.ts';
import { oncePer } from '../../core/once-per.ts';
import { dayText } from '../../core/time-text.ts';

/**
 * The identity of the leaf certificate:
 * - `known-key`: Its key is pinned or learned.
 * - `named`: It is valid for the requested name.
 * - `known-subject`: It has the same subject as a learned leaf.
 * - `device`: It is the factory certificate of a Fortinet unit.
 * - `other`: It is none of these.
 */
type Identity = 'known-key' | 'named' | 'known-subject' | 'device' | 'other';

/**
 * `clock` means that this machine's clock is wrong, because a public control host's certificate also seems to be
 * expired or not yet valid.
 */
type Dates = 'valid' | 'expired' | 'not-yet-valid' | 'clock';

/** A chain and all facts about it, before any comparison. */
export interface ChainCase {
  readonly evidence: TlsEvidence;
  readonly leaf: Certificate;
  readonly sent: SentChain;
  readonly chainTrust: ChainTrust;
  readonly claim: Claim;
  readonly identity: Identity;
  readonly dates: Dates;
  readonly baselineMatch: BaselineMatch;
  /** Null if the chain does not lead to a key that the profile accepts. */
  readonly accepted: TrustedPath | null;
  /** An intermediate certificate that the server did not send, although it is needed for the path. */
  readonly gap: Certificate | null;
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
    dates: judgeDates(chainTrust, evidence, checks),
    accepted: judgeFlaws(chainTrust, evidence, checks),
    baselineMatch: compareBaseline(evidence.baseline, leaf, chainTrust.authorities),
    gap:
      chainTrust.path
        .slice(1, -1)
        .find((link) => !sent.some((certificate) => certificate.fingerprint === link.fingerprint)) ?? null,
    checks,
  };
}

/**
 * Reports whether the chain is signed by a key that the profile accepts and has the right name. No comparison is needed
 * then, because no other observation can contradict the chain.
 */
export function isBeyondComparison({ accepted, identity }: ChainCase): boolean {
  return accepted !== null && isRightful(identity);
}

/** Reports whether the names or the key identify the certificate as the requested server's certificate. */
export function isRightful(identity: Identity): boolean {
  return identity !== 'other' && identity !== 'device';
}

/** Builds the path for any chain of the target, including reference chains. */
export function chainTrustOf(sent: SentChain, evidence: TlsEvidence, checks: SignatureChecks): ChainTrust {
  return findChainTrust(sent, chainTrustOptions(evidence, checks));
}

export function chainTrustOptions(evidence: TlsEvidence, checks: SignatureChecks): ChainTrustOptions {
  return {
    profile: evidence.profile,
    trust: evidence.trust,
    baseline: evidence.baseline,
    helpers: evidence.references.flatMap(({ chain }) => chain.certificates.slice(1)),
    host: evidence.serverName ?? hostOf(evidence.target),
    now: evidence.now,
    checks,
  };
}

/** Identifies the holder of a certificate that the target presented. */
export function identify(leaf: Certificate, evidence: TlsEvidence): Identity {
  const { baseline, profile, serverName, target, trust } = evidence;
  const pinned = [...trust.pins.map((pin) => pin.pin), ...(baseline?.leaves ?? []).map((known) => known.pin)];
  if (pinned.includes(leaf.pin)) return 'known-key';
  const names = serverName === null ? [hostOf(target)] : [serverName, hostOf(target)];
  // The names in the genuine certificate are not published, so a CN is sufficient under the private authority.
  if (names.some((name) => matchesName(leaf, name, { commonName: profile === 'fortinet' }))) return 'named';
  if (
    attributeValues(leaf.subject, 'CN').length > 0 &&
    baseline?.leaves.some((known) => isSameName(known.subject, leaf.subject))
  ) {
    return 'known-subject';
  }
  return deviceOf(leaf) === null ? 'other' : 'device';
}

function judgeDates(chainTrust: ChainTrust, evidence: TlsEvidence, checks: SignatureChecks): Dates {
  const { now } = evidence;
  // The certificate at the end of the path is trusted directly, so its dates do not matter.
  const links = chainTrust.path.length > 1 ? chainTrust.path.slice(0, -1) : chainTrust.path;
  const isExpired = (certificate: Certificate): boolean => now > certificate.notAfter;
  const isEarly = (certificate: Certificate): boolean => now < certificate.notBefore;
  const wrong = [isExpired, isEarly].find((test) => links.some(test));
  if (wrong === undefined) return 'valid';
  if (publicControlLeaves(evidence, checks).some(wrong)) return 'clock';
  return wrong === isExpired ? 'expired' : 'not-yet-valid';
}

function publicControlLeaves(evidence: TlsEvidence, checks: SignatureChecks): readonly Certificate[] {
  return evidence.controls.flatMap(({ target, chain }) => {
    const sent = sentChain(chain);
    return sent !== null && isPublicChain(sent, hostOf(target), evidence, checks) ? [sent[0]] : [];
  });
}

/** Reports whether a control host's chain ends at one of Mozilla's roots, regardless of its dates. */
export function isPublicChain(sent: SentChain, host: string, evidence: TlsEvidence, checks: SignatureChecks): boolean {
  const { now, trust } = evidence;
  const publicOnly = { pins: [], anchors: [], publicRoots: trust.publicRoots };
  // Cached, because this is called for each target with the same few control hosts.
  return checks.once(
    `public ${host} ${chainKey(sent)}`,
    () =>
      findChainTrust(sent, { profile: 'public', trust: publicOnly, baseline: null, helpers: [], host, now, checks })
        .kind === 'public',
  );
}

/** The path to a trusted certificate. */
export interface TrustedPath {
  /** The trusted certificate, as stored on this machine or, if it is not stored, as sent. */
  readonly end: Certificate;
  readonly flaws: readonly Flaw[];
}

/** The information that a target's chains are compared with, except for this round's observations. */
export interface TlsGrounds {
  readonly trust: Trust;
  readonly profile: TrustProfile;
  readonly products: readonly ProductPattern[];
  readonly baseline: Baseline | null;
  /** The leaf certificates that the target presented recently. */
  readonly previous: readonly PreviousLeaf[];
  /**
   * When this program last verified the target under a key that is still configured; null if it never did, or if the
   * time was not stored.
   */
  readonly remembered: RememberedChain | null;
}

/** The evidence for the verdict on one address of one target. */
export interface TlsEvidence extends TlsGrounds {
  /** The target as `host:port`, as configured. */
  readonly target: string;
  /** The SNI that was sent; null if no SNI was sent. */
  readonly serverName: string | null;
  readonly outcome: TlsOutcome;
  /** Results of additional probes, which are made if TLS to this address is blocked. */
  readonly closer?: CloserLook;
  /** The control hosts' chains, captured in the same round. */
  readonly controls: readonly ControlChain[];
  readonly references: readonly ReferenceChain[];
  /** OpenSSL's result for this chain, with its trusted certificate as the trust anchor; null if there is no result. */
  readonly openssl: OpensslWord | null;
  /**
   * The flaws that all accepted chains at this address, and the learned chain, have in common; null if there are none.
   */
  readonly knownFlaws: readonly FlawKind[] | null;
  /** The names of headers in the answer that only proxies and filters add. */
  readonly traces: readonly string[];
  /** The current time, already corrected if this machine's clock is known to be wrong. */
  readonly now: EpochMs;
}

export interface ControlChain {
  /** The control host, as `host:port`. */
  readonly target: string;
  readonly chain: CapturedChain;
}

/**
 * A chain that the same target presented in another way:
 * - `resolver`: at an address that only another resolver returned
 * - `address`: at another address of the target
 * - `proxy`: over another path
 * - `server-name`: at the same address with another SNI
 * - `tls-version`: at the same address with another TLS version, because a device may inspect only one version
 */
export interface ReferenceChain {
  readonly label: string;
  readonly kind: 'resolver' | 'address' | 'proxy' | 'server-name' | 'tls-version';
  readonly chain: CapturedChain;
}

export interface RememberedChain {
  readonly at: EpochMs;
  /** The human-readable name of the key at the end of the chain. */
  readonly label: string;
}

export interface PreviousLeaf {
  readonly serial: string;
  readonly pin: string;
  readonly at: EpochMs;
}

/** All verdicts, worst first. The results for the addresses of a target are combined in this order. */
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
  /** The inspecting product, if it is known from the catalogue or the certificate itself. */
  readonly product: string | null;
  readonly findings: readonly Finding[];
  /** A sentence that describes the verdict. */
  readonly summary: string;
  /** What to do for a definite result, as the rest of a sentence; null if the result is definite. */
  readonly wouldSettle: string | null;
  /** The authorities above the leaf, found by verifying signatures, starting with the leaf's issuer. */
  readonly authorities: readonly Certificate[];
  /** Null if the chain does not lead to a key that the profile accepts. */
  readonly accepted: TrustedPath | null;
  /** The pin of the configured key at the end of a genuine chain; null for other chains. */
  readonly verifiedBy: string | null;
}

type FlawEvidence = Pick<TlsEvidence, 'profile' | 'openssl' | 'now' | 'trust' | 'baseline'>;

/** Returns null if the chain does not lead to a key that the profile accepts. */
export function judgeFlaws(
  chainTrust: ChainTrust,
  evidence: FlawEvidence,
  checks: SignatureChecks,
): TrustedPath | null {
  const { profile, openssl, now } = evidence;
  const last = chainTrust.path.at(-1);
  const isAccepted = chainTrust.kind === 'trusted' || (chainTrust.kind === 'public' && profile === 'public');
  if (last === undefined || !isAccepted) return null;
  const held = heldCopy(last, evidence);
  const end = held ?? last;
  const path = [...chainTrust.path.slice(0, -1), end];
  // If only the hash of a key is known, clients may have a newer certificate with the same key.
  const own = [...ownFlaws(path, checks), ...(held === null ? [] : endFlaws(path, now))];
  if (openssl === null) return { end, flaws: own };
  // OpenSSL checked the chain when it was new. An authority may have expired since then.
  if (openssl.refusal === null) return { end, flaws: own.filter(({ kind }) => kind === 'authority-out-of-date') };
  const { refusal } = openssl;
  const refused: Flaw = {
    kind: 'openssl',
    claim: `OpenSSL rejects the certificate: ${refusal}.`,
    fullNames: [],
  };
  return { end, flaws: own.length > 0 ? own : [refused] };
}

/**
 * Returns the newer certificate with the same key that is stored on this machine. A server may send an old copy of an
 * authority's certificate, but clients use the certificate that they have stored.
 */
function heldCopy(end: Certificate, { trust, baseline, now }: FlawEvidence): Certificate | null {
  const anchors = trust.anchors.map(({ certificate }) => certificate);
  const held = [...anchors, ...trust.publicRoots.bySubject(end.subject), ...(baseline?.authorities ?? [])];
  const copies = held.filter(({ pin }) => pin === end.pin);
  return copies.find((copy) => isInDate(copy, now)) ?? copies[0] ?? null;
}

function ownFlaws(path: readonly Certificate[], checks: SignatureChecks): readonly Flaw[] {
  const key = `sound ${chainKey(path)}`;
  return checks.once(key, () => lastingFlaws(path).length === 0) ? [] : lastingFlaws(path);
}

/** Returns the flaws of the learned chain. OpenSSL has not checked this chain. */
export function learnedFlaws(
  baseline: Baseline,
  options: Omit<ChainTrustOptions, 'baseline' | 'helpers' | 'host'>,
): readonly FlawKind[] {
  const host = hostOf(baseline.target);
  const found = baseline.leaves.flatMap((leaf) => {
    const chainTrust = findChainTrust([leaf, ...baseline.authorities], { ...options, baseline, helpers: [], host });
    return judgeFlaws(chainTrust, { ...options, baseline, openssl: null }, options.checks)?.flaws ?? [];
  });
  return [...new Set<FlawKind>([...found.map(({ kind }) => kind), 'openssl'])];
}

/**
 * `old` means that no accepted chain without the flaw is known. The vendor's real chain is not published, so the flaw
 * may be harmless and is not reported as a fault. `new` means that an accepted chain without the flaw was observed or
 * learned.
 */
export type FlawAge = 'none' | 'old' | 'new';

export function ageOf(flaws: readonly Flaw[], known: readonly FlawKind[] | null): FlawAge {
  if (flaws.length === 0) return 'none';
  return known === null || flaws.every(({ kind }) => known.includes(kind)) ? 'old' : 'new';
}

/** The flaws that all accepted chains at an address had. A flaw that was always present is harmless so far. */
export interface FlawMemory {
  /** Returns null if no accepted chain was observed at the address. */
  at(address: string): readonly FlawKind[] | null;
  /** Stores the flaws of the accepted chain that an address currently presents. */
  keep(address: string, flaws: readonly FlawKind[]): void;
}

/** The maximum number of addresses. The limit is high enough that forged DNS answers do not displace real addresses. */
const MOST_ADDRESSES = 256;

/** @param learned the learned chain's flaws, for comparison with a new address; null if no chain was learned */
export function createFlawMemory(learned: readonly FlawKind[] | null): FlawMemory {
  const kept = new Map<string, readonly FlawKind[]>();
  const at = (address: string): readonly FlawKind[] | null => kept.get(address) ?? learned;
  return {
    at,
    keep: (address, flaws) => {
      const before = at(address);
      // The least recently seen address is discarded, because the addresses of a name change over months.
      kept.delete(address);
      kept.set(address, before === null ? flaws : before.filter((kind) => flaws.includes(kind)));
      for (const oldest of [...kept.keys()].slice(0, -MOST_ADDRESSES)) kept.delete(oldest);
    },
  };
}

/**
 * The origin that the names in a chain claim: the vendor (the organization of a trusted authority), a public authority,
 * or another party. A name proves nothing, but if a chain claims to be from another party, a change at the vendor does
 * not explain it.
 */
type Claim = 'vendor' | 'public' | 'other';

export function claimOf({ kind, path }: ChainTrust, sent: readonly Certificate[], trust: Trust): Claim {
  if (kind === 'public' || kind === 'vendor') return kind;
  const issuers = path.map(({ issuer }) => issuer);
  const top = issuers.at(-1);
  // A self-signed leaf has no authority, and a certificate that is not an authority must not sign.
  if (top === undefined || (kind === 'foreign' && path.length === 1) || isNoAuthority(top, sent)) return 'other';
  const vendors = vendorOrganizations(trust);
  if (issuers.every((issuer) => organizationsOf(issuer).some((organization) => vendors.has(organization))))
    return 'vendor';
  return isPublicName(top, trust) ? 'public' : 'other';
}

/** Reports whether an issuer has the same organization as a trusted authority. */
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

/** Matches Fortinet serial numbers such as `FG3K4ETB19900078` and `FACVM0000000001`. */
const SERIAL_NUMBER = /^(?!FORTI)F(?=[A-Z]*\d)[A-Z0-9]{10,23}$/u;

/** Matches the organizational unit of a factory certificate, which is a product such as `FortiGate`. */
const PRODUCT_UNIT = /^Forti[A-Z][A-Za-z]{1,24}$/u;

/** Products whose factory certificates do not always contain a serial number. */
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
 * Returns the product, such as `Fortinet FortiGate`, if the certificate looks like a factory certificate; otherwise
 * null. Factory certificates are signed by the genuine Fortinet authority, and the private key of at least one
 * certificate that many units share has been published. The chain alone therefore does not prove that the peer is the
 * licence server.
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

/** A learned baseline, and the certificate in it that requires confirmation by a person. */
export interface RefusedBaseline {
  readonly baseline: Baseline;
  readonly unconfirmed: Certificate;
}

/**
 * Returns the certificate at the end of a chain if neither a configured key nor a public root confirms the chain;
 * otherwise null. A person has to verify this certificate, because an inspecting device's chain can contain the same
 * names.
 */
export function unconfirmedEnd(sent: SentChain, options: Omit<ChainTrustOptions, 'baseline'>): Certificate | null {
  const { kind, path } = findChainTrust(sent, { ...options, baseline: null });
  switch (kind) {
    case 'trusted':
    case 'public':
    case 'vendor':
      return null;
    case 'weak':
      // The chain leads to a trusted key, but its signatures can be forged, so no certificate above the leaf is proven.
      return sent[0];
    case 'foreign':
    case 'forged':
    case 'incomplete':
      return path.at(-1) ?? sent[0];
  }
}

/**
 * Returns the unconfirmed certificate at the end of a learned chain; null if the chain is confirmed by a configured
 * key, a public root, or a fingerprint that a person entered when the chain was learned. Only the profile `fortinet`
 * requires confirmation, because it is used to detect inspection.
 */
export function unconfirmedBaseline(baseline: Baseline, options: TrustOptions): Certificate | null {
  if (options.profile !== 'fortinet') return null;
  const ends = baseline.leaves.map((leaf) =>
    unconfirmedEnd([leaf, ...baseline.authorities], { ...options, helpers: [], host: hostOf(baseline.target) }),
  );
  return ends.find((end) => end !== null && !baseline.accepted.includes(end.fingerprint)) ?? null;
}

/** Reports that the learned chain is not used, because the person who learned it expects it to be used. */
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

/** Describes why a learned chain is not used. */
export function describeRefused({ baseline, unconfirmed }: RefusedBaseline): string {
  const name = formatDistinguishedName(unconfirmed.subject);
  return (
    `The chain learned on ${dayText(baseline.learnedAt)} is not used, because its authority ${name} ` +
    `(SHA-256 ${unconfirmed.fingerprint}) was not confirmed. For details, run "ftm-watch trust learn"`
  );
}
