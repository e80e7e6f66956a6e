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
 * Identity of the leaf certificate. `known-key`: its key is pinned or learned. `named`: it is valid for the requested
 * name. `known-subject`: its subject is that of a learned leaf. `device`: a factory certificate of a Fortinet unit.
 * `other`: none of them.
 */
type Identity = 'known-key' | 'named' | 'known-subject' | 'device' | 'other';

/**
 * `clock`: a public control host's certificate is out of date in the same direction, so the clock of this machine is
 * wrong.
 */
type Dates = 'valid' | 'expired' | 'not-yet-valid' | 'clock';

/** One chain with all facts about it, before any comparison. */
export interface ChainCase {
  readonly evidence: TlsEvidence;
  readonly leaf: Certificate;
  readonly sent: SentChain;
  readonly chainTrust: ChainTrust;
  readonly claim: Claim;
  readonly identity: Identity;
  readonly dates: Dates;
  readonly baselineMatch: BaselineMatch;
  /** Null if the chain does not lead to a key accepted by the profile. */
  readonly accepted: TrustedPath | null;
  /** A certificate on the path that was not sent and is not a trusted end, so it is missing in the server's chain. */
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
 * Reports whether the chain is signed by a key accepted by the profile and is for the right name. Observations
 * elsewhere cannot contradict it then, so no comparison is needed.
 */
export function isBeyondComparison({ accepted, identity }: ChainCase): boolean {
  return accepted !== null && isRightful(identity);
}

/** Reports whether this is the certificate of the requested server, according to its names and its key. */
export function isRightful(identity: Identity): boolean {
  return identity !== 'other' && identity !== 'device';
}

/** Returns the end of any chain of this target, including reference chains. */
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

/** Returns whose certificate this is, for this target. */
export function identify(leaf: Certificate, evidence: TlsEvidence): Identity {
  const { baseline, profile, serverName, target, trust } = evidence;
  const pinned = [...trust.pins.map((pin) => pin.pin), ...(baseline?.leaves ?? []).map((known) => known.pin)];
  if (pinned.includes(leaf.pin)) return 'known-key';
  const names = serverName === null ? [hostOf(target)] : [serverName, hostOf(target)];
  // The names in the genuine certificate are not published. Under the private authority, a CN may have to be
  // sufficient.
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
  // The end of the path is trusted as it is, so its dates do not matter.
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

/** Reports whether a control host's chain ends at one of Mozilla's roots, regardless of dates. */
export function isPublicChain(sent: SentChain, host: string, evidence: TlsEvidence, checks: SignatureChecks): boolean {
  const { now, trust } = evidence;
  const publicOnly = { pins: [], anchors: [], publicRoots: trust.publicRoots };
  // Called for each target again, with the same few control hosts.
  return checks.once(
    `public ${host} ${chainKey(sent)}`,
    () =>
      findChainTrust(sent, { profile: 'public', trust: publicOnly, baseline: null, helpers: [], host, now, checks })
        .kind === 'public',
  );
}

/** The result for a client that trusts the end of a chain. */
export interface TrustedPath {
  /** The trusted certificate, as stored here, or otherwise as sent. */
  readonly end: Certificate;
  readonly flaws: readonly Flaw[];
}

/** The basis for judging the chains of a target, apart from this round's observations. */
export interface TlsGrounds {
  readonly trust: Trust;
  readonly profile: TrustProfile;
  readonly products: readonly ProductPattern[];
  readonly baseline: Baseline | null;
  /** Leaf certificates that the same target showed recently. */
  readonly previous: readonly PreviousLeaf[];
  /**
   * When this program last verified the target itself under a key that is still configured; null if never or not
   * remembered.
   */
  readonly remembered: RememberedChain | null;
}

/** The evidence for one judgement about one address of one target. */
export interface TlsEvidence extends TlsGrounds {
  /** `host:port`, as configured. */
  readonly target: string;
  /** The SNI that was sent; null if none. */
  readonly serverName: string | null;
  readonly outcome: TlsOutcome;
  /** Results of the additional probes of this address, made because TLS to it is blocked. */
  readonly closer?: CloserLook;
  /** Chains of control hosts, captured in the same round. If empty, one signal is missing. */
  readonly controls: readonly ControlChain[];
  readonly references: readonly ReferenceChain[];
  /**
   * OpenSSL's result for this chain, with its trusted end as an anchor; null if OpenSSL was not asked or its result was
   * not available.
   */
  readonly openssl: OpensslWord | null;
  /** Flaws that every accepted chain at this address had, including the learned one; null if there was none. */
  readonly knownFlaws: readonly FlawKind[] | null;
  /** Names of headers that only proxies and filters add, from the answer on the same connection. */
  readonly traces: readonly string[];
  /** Already corrected if this machine's clock is known to be wrong. */
  readonly now: EpochMs;
}

export interface ControlChain {
  /** `host:port` */
  readonly target: string;
  readonly chain: CapturedChain;
}

/**
 * The same target observed in another way. `resolver`: at an address that only another resolver returned; `address`: at
 * another of its addresses; `proxy`: over another path; `server-name`: at the same address with another SNI;
 * `tls-version`: at the same address with another TLS version, because a device may inspect only one of them.
 */
export interface ReferenceChain {
  readonly label: string;
  readonly kind: 'resolver' | 'address' | 'proxy' | 'server-name' | 'tls-version';
  readonly chain: CapturedChain;
}

export interface RememberedChain {
  readonly at: EpochMs;
  /** Human-readable name of the key that the chain ended at. */
  readonly label: string;
}

export interface PreviousLeaf {
  readonly serial: string;
  readonly pin: string;
  readonly at: EpochMs;
}

/** Worst first. The addresses of one target are combined in this order. */
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
  /** The inspecting product, if the catalogue or the certificate itself names it. */
  readonly product: string | null;
  readonly findings: readonly Finding[];
  /** One sentence. */
  readonly summary: string;
  /** What would settle the question; null if the result is clear. */
  readonly wouldSettle: string | null;
  /** The authorities above the leaf that were found by signature, nearest first. */
  readonly authorities: readonly Certificate[];
  /** Null if the chain does not lead to a key accepted by the profile. */
  readonly accepted: TrustedPath | null;
  /** Pin of the configured key at the end of a genuine chain; null for other chains. */
  readonly verifiedBy: string | null;
}

type FlawEvidence = Pick<TlsEvidence, 'profile' | 'openssl' | 'now' | 'trust' | 'baseline'>;

/** Returns null if the chain does not lead to a key accepted by the profile. */
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
  // For a key that is known only by its hash, clients may have a newer certificate.
  const own = [...ownFlaws(path, checks), ...(held === null ? [] : endFlaws(path, now))];
  if (openssl === null) return { end, flaws: own };
  // OpenSSL was asked when the chain was new. An authority may have expired since.
  if (openssl.refusal === null) return { end, flaws: own.filter(({ kind }) => kind === 'authority-out-of-date') };
  const { refusal } = openssl;
  const refused: Flaw = {
    kind: 'openssl',
    claim: `OpenSSL refuses the certificate: ${refusal}.`,
    fullNames: [],
  };
  return { end, flaws: own.length > 0 ? own : [refused] };
}

/**
 * Returns the newer certificate of the same key that is stored here. A server may send an old copy of an authority, but
 * clients use the certificate that they have.
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

/** Returns the flaws of the learned chain. OpenSSL's result for it is not known. */
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
 * `old`: the chain always had the flaw, as far as is known. The vendor's real chain has not been seen by anybody, and a
 * harmless flaw must not be called a fault. `new`: an accepted chain without the flaw was seen here or learned.
 */
export type FlawAge = 'none' | 'old' | 'new';

export function ageOf(flaws: readonly Flaw[], known: readonly FlawKind[] | null): FlawAge {
  if (flaws.length === 0) return 'none';
  return known === null || flaws.every(({ kind }) => known.includes(kind)) ? 'old' : 'new';
}

/** The flaws that every accepted chain at an address had. A flaw that was always there has done no harm so far. */
export interface FlawMemory {
  /** Null if no accepted chain was seen there. */
  at(address: string): readonly FlawKind[] | null;
  /** Stores the flaws of the currently accepted chain at an address. */
  keep(address: string, flaws: readonly FlawKind[]): void;
}

/**
 * Beyond this, the least recently seen address is dropped, so that forged DNS answers do not make the memory useless.
 */
const MOST_ADDRESSES = 256;

/** @param learned flaws of the learned chain, for comparison with a new address; null if nothing was learned */
export function createFlawMemory(learned: readonly FlawKind[] | null): FlawMemory {
  const kept = new Map<string, readonly FlawKind[]>();
  const at = (address: string): readonly FlawKind[] | null => kept.get(address) ?? learned;
  return {
    at,
    keep: (address, flaws) => {
      const before = at(address);
      // The least recently seen address is dropped, because the addresses of a name change over months.
      kept.delete(address);
      kept.set(address, before === null ? flaws : before.filter((kind) => flaws.includes(kind)));
      for (const oldest of [...kept.keys()].slice(0, -MOST_ADDRESSES)) kept.delete(oldest);
    },
  };
}

/**
 * The origin that the names in a chain claim: the vendor (an organization of the trusted authorities), a public
 * authority, or another party. A name proves nothing, but a chain that claims neither cannot be an unknown change at
 * the vendor.
 */
type Claim = 'vendor' | 'public' | 'other';

export function claimOf({ kind, path }: ChainTrust, sent: readonly Certificate[], trust: Trust): Claim {
  if (kind === 'public' || kind === 'vendor') return kind;
  const issuers = path.map(({ issuer }) => issuer);
  const top = issuers.at(-1);
  // A self-signed leaf names no authority, and a certificate that is not an authority must not sign.
  if (top === undefined || (kind === 'foreign' && path.length === 1) || isNoAuthority(top, sent)) return 'other';
  const vendors = vendorOrganizations(trust);
  if (issuers.every((issuer) => organizationsOf(issuer).some((organization) => vendors.has(organization))))
    return 'vendor';
  return isPublicName(top, trust) ? 'public' : 'other';
}

/** Reports whether an issuer has the organization of an authority that is trusted by name. */
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

/** `FG3K4ETB19900078`, `FACVM0000000001`: the format of Fortinet's serial numbers, capital letters and digits. */
const SERIAL_NUMBER = /^(?!FORTI)F(?=[A-Z]*\d)[A-Z0-9]{10,23}$/u;

/** `FortiGate`, `FortiAuthenticator`: the organizational unit of a factory certificate is the product. */
const PRODUCT_UNIT = /^Forti[A-Z][A-Za-z]{1,24}$/u;

/** Units whose certificate may not have a serial number as its name. A service such as FortiGuard is not a unit. */
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
 * Returns the product of what looks like a factory certificate, `Fortinet FortiGate`; null for any other certificate,
 * such as that of another server of the vendor. Factory certificates are signed by the genuine Fortinet authority, and
 * the key of at least one that many units share has been published. The chain alone therefore does not prove that the
 * licence server is at the other end.
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

/** A learned baseline, and the certificate in it that a person would have to confirm. */
export interface RefusedBaseline {
  readonly baseline: Baseline;
  readonly unconfirmed: Certificate;
}

/**
 * Returns the certificate that a chain rests on if neither a configured key nor a public root confirms it; null if one
 * does. The chain of an inspecting device looks the same, whatever names it contains, so a person has to compare this
 * certificate.
 */
export function unconfirmedEnd(sent: SentChain, options: Omit<ChainTrustOptions, 'baseline'>): Certificate | null {
  const { kind, path } = findChainTrust(sent, { ...options, baseline: null });
  switch (kind) {
    case 'trusted':
    case 'public':
    case 'vendor':
      return null;
    case 'weak':
      // The chain leads to a trusted key over links that can be forged, so nothing above the leaf is proven.
      return sent[0];
    case 'foreign':
    case 'forged':
    case 'incomplete':
      return path.at(-1) ?? sent[0];
  }
}

/**
 * Returns the certificate on which a learned chain rests without confirmation; null if all of it is confirmed.
 * Confirmation is a configured key, a public root, or a fingerprint that a person entered when the chain was learned.
 * Only the profile `fortinet` requires this, because it is the one used to detect inspection.
 */
export function unconfirmedBaseline(baseline: Baseline, options: TrustOptions): Certificate | null {
  if (options.profile !== 'fortinet') return null;
  const ends = baseline.leaves.map((leaf) =>
    unconfirmedEnd([leaf, ...baseline.authorities], { ...options, helpers: [], host: hostOf(baseline.target) }),
  );
  return ends.find((end) => end !== null && !baseline.accepted.includes(end.fingerprint)) ?? null;
}

/** Reports that the learned chain is not used, because the person who learned it believes that it is. */
export function refusedBaselineFindings(subject: string, refused: RefusedBaseline | null): readonly Finding[] {
  if (refused === null) return [];
  return [
    {
      rule: 'learned-trust-is-confirmed',
      subject,
      expected:
        'A learned chain under a configured key or a public authority, or one whose fingerprint was typed when it ' +
        'was learned',
      claim:
        `The chain learned on ${dayText(refused.baseline.learnedAt)} rests on ${called(refused.unconfirmed.subject)}, ` +
        'which nobody confirmed, so it is not used.',
      actual: describeRefused(refused),
      fullNames: inFull(refused.unconfirmed.subject),
      level: 'warning',
      suggests: null,
    },
  ];
}

/** Returns a text such as `learned on 2026-11-24, rests on O=…, SHA-256 AA:…`. */
export function describeRefused({ baseline, unconfirmed }: RefusedBaseline): string {
  const name = formatDistinguishedName(unconfirmed.subject);
  return (
    `What was learned on ${dayText(baseline.learnedAt)} rests on ${name} (SHA-256 ${unconfirmed.fingerprint}) ` +
    'and is not used; ' +
    '"ftm-watch trust learn" says more'
  );
}
