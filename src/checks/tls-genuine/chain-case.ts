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
 * Whose certificate the leaf is. `known-key`: its own key is pinned or learned. `named`: it is for the name that was
 * asked for. `known-subject`: its subject is that of a learned leaf. `device`: a factory certificate of a Fortinet
 * unit. `other`: none of them.
 */
export type Identity = 'known-key' | 'named' | 'known-subject' | 'device' | 'other';

/**
 * `clock`: a public control host's certificate is out of date in the same direction, so it is this machine that is
 * wrong.
 */
export type Dates = 'valid' | 'expired' | 'not-yet-valid' | 'clock';

/** One chain with all that is known about it by itself, before anything is compared. */
export interface ChainCase {
  readonly evidence: TlsEvidence;
  readonly leaf: Certificate;
  readonly sent: SentChain;
  readonly chainTrust: ChainTrust;
  readonly claim: Claim;
  readonly identity: Identity;
  readonly dates: Dates;
  readonly baselineMatch: BaselineMatch;
  /** Null: the chain leads to no key that the profile takes. */
  readonly accepted: TrustedPath | null;
  /** A certificate on the path that was not sent, and is no trusted end either: the server forgot it. */
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
 * Whether a key that the profile takes has signed it for the right name: nothing that is seen elsewhere says otherwise
 * then, so that nothing need be compared.
 */
export function isBeyondComparison({ accepted, identity }: ChainCase): boolean {
  return accepted !== null && isRightful(identity);
}

/** The certificate of the server that was asked for, as far as its names and its key tell. */
export function isRightful(identity: Identity): boolean {
  return identity !== 'other' && identity !== 'device';
}

/** Where any chain of this target ends, the references' included. */
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

/** Whose certificate this is, for this target. */
export function identify(leaf: Certificate, evidence: TlsEvidence): Identity {
  const { baseline, profile, serverName, target, trust } = evidence;
  const pinned = [...trust.pins.map((pin) => pin.pin), ...(baseline?.leaves ?? []).map((known) => known.pin)];
  if (pinned.includes(leaf.pin)) return 'known-key';
  const names = serverName === null ? [hostOf(target)] : [serverName, hostOf(target)];
  // What names the genuine certificate carries is not published: under the private authority a CN may have to do.
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
  // The end of the path is trusted as it stands; its dates bind nobody.
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

/** Whether a control host's chain ends at one of Mozilla's roots, whatever its dates. */
export function isPublicChain(sent: SentChain, host: string, evidence: TlsEvidence, checks: SignatureChecks): boolean {
  const { now, trust } = evidence;
  const publicOnly = { pins: [], anchors: [], publicRoots: trust.publicRoots };
  // Asked for each target again, of the same few control hosts.
  return checks.once(
    `public ${host} ${chainKey(sent)}`,
    () =>
      findChainTrust(sent, { profile: 'public', trust: publicOnly, baseline: null, helpers: [], host, now, checks })
        .kind === 'public',
  );
}

/** What a client that trusts the end of a chain would say of the rest of it. */
export interface TrustedPath {
  /** The certificate that is trusted: as it is held here, else as it was sent. */
  readonly end: Certificate;
  readonly flaws: readonly Flaw[];
}

/** What the chains of a target are judged by, apart from what this round shows. */
export interface TlsGrounds {
  readonly trust: Trust;
  readonly profile: TrustProfile;
  readonly products: readonly ProductPattern[];
  readonly baseline: Baseline | null;
  /** Leaves that the same target showed lately. */
  readonly previous: readonly PreviousLeaf[];
  /**
   * When this program last verified the target itself, under a key that is still configured; null: never, or not
   * remembered.
   */
  readonly remembered: RememberedChain | null;
}

/** Everything that one judgement about one address of one target rests on. */
export interface TlsEvidence extends TlsGrounds {
  /** `host:port`, as configured. */
  readonly target: string;
  /** The SNI that was sent; null: none. */
  readonly serverName: string | null;
  readonly outcome: TlsOutcome;
  /** What more was asked of this address, because TLS to it is blocked. */
  readonly closer?: CloserLook;
  /** Chains of control hosts, captured in the same round. May be empty: then one signal is missing. */
  readonly controls: readonly ControlChain[];
  readonly references: readonly ReferenceChain[];
  /**
   * What OpenSSL said of this very chain, with the trusted end of it for an anchor; null: not asked, or there was no
   * way to hear it.
   */
  readonly openssl: OpensslWord | null;
  /** Flaws that every accepted chain at this address had, the learned one too; null: there was none before. */
  readonly knownFlaws: readonly FlawKind[] | null;
  /** Names of headers that only proxies and filters add, in the answer on the same connection. */
  readonly traces: readonly string[];
  /** Already corrected when this machine's own clock is known to be wrong. */
  readonly now: EpochMs;
}

export interface ControlChain {
  /** `host:port` */
  readonly target: string;
  readonly chain: CapturedChain;
}

/**
 * The same target looked at another way. `resolver`: at an address that only another resolver gave; `address`: at
 * another of its addresses; `proxy`: over another path; `server-name`: at the same address with another SNI;
 * `tls-version`: at the same address in another version of TLS, since a device may inspect one of them alone.
 */
export interface ReferenceChain {
  readonly label: string;
  readonly kind: 'resolver' | 'address' | 'proxy' | 'server-name' | 'tls-version';
  readonly chain: CapturedChain;
}

export interface RememberedChain {
  readonly at: EpochMs;
  /** Whose key it ended at, for a person. */
  readonly label: string;
}

export interface PreviousLeaf {
  readonly serial: string;
  readonly pin: string;
  readonly at: EpochMs;
}

/** Worst first: the order in which the addresses of one target are combined. */
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
  /** The inspecting product, where the catalogue or the certificate itself names it. */
  readonly product: string | null;
  readonly findings: readonly Finding[];
  /** One sentence. */
  readonly summary: string;
  /** What would settle it; null where the answer is plain. */
  readonly wouldSettle: string | null;
  /** The authorities above the leaf that were found by signature, nearest first. */
  readonly authorities: readonly Certificate[];
  /** Null: the chain leads to no key that the profile takes. */
  readonly accepted: TrustedPath | null;
  /** Pin of the configured key that a genuine chain ends at; null for any other. */
  readonly verifiedBy: string | null;
}

type FlawEvidence = Pick<TlsEvidence, 'profile' | 'openssl' | 'now' | 'trust' | 'baseline'>;

/** Null: the chain leads to no key that the profile takes. */
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
  // Of a key that is known by its hash alone, clients may hold a newer certificate.
  const own = [...ownFlaws(path, checks), ...(held === null ? [] : endFlaws(path, now))];
  if (openssl === null) return { end, flaws: own };
  // It was asked when the chain was new: an authority may have expired since.
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
 * A server may send an old copy of an authority whose key is held in a newer certificate: clients take the one that
 * they hold.
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

/** Flaws that the learned chain had. What OpenSSL would have said of it beyond our own rules is not known. */
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
 * `old`: the chain always had it, as far as is known; nobody has seen the vendor's real chain, and a flaw that does no
 * harm must not be called a fault. `new`: an accepted chain was seen here, or learned, that did not have it.
 */
export type FlawAge = 'none' | 'old' | 'new';

export function ageOf(flaws: readonly Flaw[], known: readonly FlawKind[] | null): FlawAge {
  if (flaws.length === 0) return 'none';
  return known === null || flaws.every(({ kind }) => known.includes(kind)) ? 'old' : 'new';
}

/** What every accepted chain at an address had: a flaw that was always there has done no harm so far. */
export interface FlawMemory {
  /** Null: no accepted chain was seen there. */
  at(address: string): readonly FlawKind[] | null;
  /** Keeps what the accepted chain at an address has now. */
  keep(address: string, flaws: readonly FlawKind[]): void;
}

/** The address that was not seen for longest is forgotten, so that forged answers of a resolver do not end the memory. */
const MOST_ADDRESSES = 256;

/**
 * @param learned flaws of the learned chain, which is what a new address is compared with; null: nothing was learned
 */
export function createFlawMemory(learned: readonly FlawKind[] | null): FlawMemory {
  const kept = new Map<string, readonly FlawKind[]>();
  const at = (address: string): readonly FlawKind[] | null => kept.get(address) ?? learned;
  return {
    at,
    keep: (address, flaws) => {
      const before = at(address);
      // The address that was not seen for the longest time makes room: names change their addresses over months.
      kept.delete(address);
      kept.set(address, before === null ? flaws : before.filter((kind) => flaws.includes(kind)));
      for (const oldest of [...kept.keys()].slice(0, -MOST_ADDRESSES)) kept.delete(oldest);
    },
  };
}

/**
 * Whom the names in a chain claim that it comes from: the vendor (an organization of the trusted authorities), a public
 * authority, or anybody else. A name proves nothing; but who claims to be neither cannot be a change at the vendor that
 * was not heard of yet.
 */
export type Claim = 'vendor' | 'public' | 'other';

export function claimOf({ kind, path }: ChainTrust, sent: readonly Certificate[], trust: Trust): Claim {
  if (kind === 'public' || kind === 'vendor') return kind;
  const issuers = path.map(({ issuer }) => issuer);
  const top = issuers.at(-1);
  // A leaf that signed itself names no authority, and what is no authority may not sign.
  if (top === undefined || (kind === 'foreign' && path.length === 1) || isNoAuthority(top, sent)) return 'other';
  const vendors = vendorOrganizations(trust);
  if (issuers.every((issuer) => organizationsOf(issuer).some((organization) => vendors.has(organization))))
    return 'vendor';
  return isPublicName(top, trust) ? 'public' : 'other';
}

/** Whether an issuer's organization is that of an authority that is trusted by name. */
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

/** `FG3K4ETB19900078`, `FACVM0000000001`: what Fortinet's serial numbers look like, capital letters and digits. */
const SERIAL_NUMBER = /^(?!FORTI)F(?=[A-Z]*\d)[A-Z0-9]{10,23}$/u;

/** `FortiGate`, `FortiAuthenticator`: the product is the organizational unit of a factory certificate. */
const PRODUCT_UNIT = /^Forti[A-Z][A-Za-z]{1,24}$/u;

/** Units whose certificate may have no serial number for a name; a service such as FortiGuard is no unit. */
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
 * The product whose factory certificate this seems to be, `Fortinet FortiGate`; null for any other certificate, such as
 * that of another server of the vendor. Factory certificates are signed by the genuine Fortinet authority, and the key
 * of at least one that many units share has been published: the chain alone does not prove that the licence server is
 * at the other end.
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

/** What was learned, and the certificate in it that a person would have to confirm. */
export interface RefusedBaseline {
  readonly baseline: Baseline;
  readonly unconfirmed: Certificate;
}

/**
 * The certificate that a chain rests on where neither a configured key nor a public root confirms it; null where one
 * does. An inspecting device's chain looks just like that, whatever names it carries, so a person has to compare this
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
      // It leads to a trusted key over links that can be forged: nothing above the leaf proves anything.
      return sent[0];
    case 'foreign':
    case 'forged':
    case 'incomplete':
      return path.at(-1) ?? sent[0];
  }
}

/**
 * What a learned chain rests on without anybody's word: no configured key, no public root, and no fingerprint that a
 * person typed when it was learned. Null: somebody confirms all of it. Only the profile `fortinet` asks: it is the
 * one that inspection is looked for under.
 */
export function unconfirmedBaseline(baseline: Baseline, options: TrustOptions): Certificate | null {
  if (options.profile !== 'fortinet') return null;
  const ends = baseline.leaves.map((leaf) =>
    unconfirmedEnd([leaf, ...baseline.authorities], { ...options, helpers: [], host: hostOf(baseline.target) }),
  );
  return ends.find((end) => end !== null && !baseline.accepted.includes(end.fingerprint)) ?? null;
}

/** What was learned is not used, but the one who learned it believes that it is. */
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

/** As in `learned on 2026-11-24, rests on O=…, SHA-256 AA:…`. */
export function describeRefused({ baseline, unconfirmed }: RefusedBaseline): string {
  const name = formatDistinguishedName(unconfirmed.subject);
  return (
    `What was learned on ${dayText(baseline.learnedAt)} rests on ${name} (SHA-256 ${unconfirmed.fingerprint}) ` +
    'and is not used; ' +
    '"ftm-watch trust learn" says more'
  );
}
