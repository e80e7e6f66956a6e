import type { Certificate } from '../../core/certificate.ts';
import { called, inFull, isSameName } from '../../tls/names.ts';
import { isInDate } from '../../tls/sent-chain.ts';
import { dayText, utcText } from '../../core/time-text.ts';
import { nameList, visibleText } from '../../core/visible-text.ts';
import { weakerThan, findProduct, trustUnder } from '../../tls/trust.ts';
import type { ChainCase } from './chain-case.ts';
import { isForServers } from '../../tls/extensions.ts';
import { isFault, type Finding, type FindingText } from '../../engine/model.ts';

const MOST_NAMES = 5;

export function verificationFinding(chain: ChainCase): FindingText {
  const { chainTrust, leaf } = chain;
  const top = chainTrust.path.at(-1) ?? leaf;
  return {
    rule: 'chain-verifies-under-pin',
    claim: issuerClaim(chain),
    expected: trustedEnds(chain),
    fullNames: inFull(leaf.issuer, top.issuer),
  };
}

export function datesFinding({ evidence, dates, leaf, outdated }: ChainCase): FindingText {
  const { subject, notBefore, notAfter } = outdated ?? leaf;
  // On the first and the last day of validity, the date alone would be ambiguous.
  const isDayEnough = ![notBefore, notAfter].map(dayText).includes(dayText(evidence.now));
  const textOf = isDayEnough ? dayText : utcText;
  const [from, to] = [textOf(notBefore), textOf(notAfter)];
  const which = outdated === leaf ? 'The certificate' : `The certificate of ${called(subject)}`;
  return {
    rule: 'certificate-is-in-date',
    claim:
      dates === 'clock'
        ? `${which} seems to be expired or not yet valid, because the ftm-watch machine's clock is wrong.`
        : `${which} is valid only from ${from} to ${to}.`,
    fullNames: inFull(subject),
    expected: `Valid ${isDayEnough ? 'on' : 'at'} ${textOf(evidence.now)}`,
  };
}

export function nameFinding(chain: ChainCase): FindingText {
  const { evidence } = chain;
  return {
    rule: 'certificate-names-the-server',
    claim: `The certificate is for ${namesClaimed(chain)}.`,
    fullNames: inFull(chain.leaf.subject),
    expected: `A certificate for ${evidence.serverName ?? evidence.target}`,
  };
}

function namesClaimed({ leaf }: ChainCase): string {
  const names = [...leaf.dnsNames, ...leaf.ipAddresses].map((name) => visibleText(name, 100));
  return names.length === 0 ? called(leaf.subject) : nameList(names, 3);
}

export function deviceFinding({ identity, leaf }: ChainCase): readonly FindingText[] {
  if (identity !== 'device') return [];
  return [
    {
      rule: 'leaf-is-no-device-certificate',
      claim: `The certificate is the factory certificate of the device ${called(leaf.subject)}.`,
      fullNames: inFull(leaf.subject),
      expected: "The licence server's certificate",
    },
  ];
}

export function gapFinding({ gap }: ChainCase): readonly FindingText[] {
  if (gap === null) return [];
  return [
    {
      rule: 'chain-is-complete',
      claim: `The server did not send the intermediate certificate ${called(gap.subject)}.`,
      fullNames: inFull(gap.subject),
      expected: 'All intermediate certificates',
    },
  ];
}

/** A different certificate elsewhere is a signal, unless a trusted key signed this one. */
export function elsewhereFinding({ elsewhere, evidence: { target } }: ChainCase): readonly FindingText[] {
  if (elsewhere === null || elsewhere.kind === 'other') return [];
  const claim =
    elsewhere.kind === 'same'
      ? `${target} presents the same certificate to ${elsewhere.seenBy}.`
      : `${target} presents several certificates to ${elsewhere.seenBy}, so this one cannot be compared.`;
  return [{ rule: 'other-networks-agree', claim, expected: 'The certificate that other networks receive' }];
}

export function cutFinding({ evidence }: ChainCase): FindingText {
  const { outcome } = evidence;
  const how = outcome.kind === 'failed' ? outcome.reason : 'closed';
  return {
    rule: 'tls-handshake-answered',
    claim: `The connection ended immediately after the certificate was received (${how}).`,
    expected: 'A complete TLS handshake',
  };
}

export function renewalFinding({ evidence, leaf }: ChainCase): FindingText {
  const known = evidence.baseline?.leaves[0]?.pin ?? 'of the learned certificate';
  return {
    rule: 'leaf-as-learned',
    claim:
      'The certificate has a different key than the learned certificate, but the same authority, ' +
      `${called(leaf.issuer)}.`,
    fullNames: inFull(leaf.issuer),
    expected: `The key ${known}`,
    actual: `${leaf.pin}, under the same authority, valid until ${dayText(leaf.notAfter)}`,
  };
}

export function authorityFinding({ evidence, leaf }: ChainCase): FindingText {
  const learned = evidence.baseline?.leaves[0]?.issuer ?? leaf.issuer;
  return {
    rule: 'authority-as-learned',
    claim: `The certificate was issued by ${called(leaf.issuer)}, which is trusted but was not learned.`,
    fullNames: inFull(leaf.issuer, learned),
    expected: `Issued by ${called(learned)}, as learned`,
  };
}

export function strengthFinding({ chainTrust, leaf }: ChainCase): FindingText {
  if (!isForServers(leaf))
    return {
      rule: 'certificate-is-for-servers',
      claim: 'The certificate is not intended for TLS servers.',
      expected: 'A certificate for TLS servers',
    };
  const seen = chainTrust.path.map(
    ({ key, signatureAlgorithm }) => `${key} signed with ${signatureAlgorithm ?? 'an unknown algorithm'}`,
  );
  const expected = 'An RSA key of 2048 to 8192 bits or an elliptic curve key, signed with SHA-2';
  return {
    rule: 'keys-and-signatures-are-strong',
    claim: 'The certificate or one of its authorities has a key or signature that is too weak.',
    expected,
    actual: seen.slice(0, 3).join('; ') || leaf.key,
  };
}

export function weakerFinding({ evidence, leaf }: ChainCase): readonly FindingText[] {
  const { outcome, baseline } = evidence;
  const protocol = outcome.kind === 'failed' ? null : outcome.protocol;
  const weaker = baseline === null ? [] : weakerThan(baseline, leaf, protocol);
  if (weaker.length === 0) return [];
  const expected = 'Keys, signatures and protocol that are at least as strong as those learned';
  const claim = `The connection uses weaker cryptography than the learned connection: ${weaker.join(', ')}.`;
  return [{ rule: 'as-strong-as-learned', claim, expected }];
}

/**
 * Reasons why TLS clients reject a chain although a trusted key signed it. Other rules judge the key, the signatures
 * and the dates, which OpenSSL compares with this machine's clock.
 */
const REFUSALS: ReadonlyMap<string, string> = new Map([
  ['PATH_LENGTH_EXCEEDED', 'The chain is longer than an authority in it allows'],
  ['INVALID_PURPOSE', 'A certificate in the chain is not intended for TLS servers'],
  ['INVALID_CA', 'A certificate in the chain may not issue other certificates'],
  // Node has no name for these errors.
  ['UNSPECIFIED', 'The chain has, for example, an unknown critical extension or a name that an authority excludes'],
]);

/** Why TLS clients reject a chain that leads to a key that the profile accepts. */
export function flawFindings(chain: ChainCase): readonly FindingText[] {
  if (!chain.accepted) return [];
  const { outcome, now } = chain.evidence;
  const code = outcome.kind === 'failed' ? '' : (outcome.refusal ?? '');
  const [refusal, outdated] = [REFUSALS.get(code), outdatedEnd(chain)];
  const flaw = { rule: FLAW_RULE, expected: 'A chain that TLS clients accept' };
  if (refusal !== undefined) return [{ ...flaw, claim: `${refusal} (OpenSSL: ${code}).` }];
  if (outdated === null) return [];
  const { subject, notAfter } = outdated;
  const claim = `The certificate of ${called(subject)} ${now > notAfter ? 'has expired' : 'is not yet valid'}.`;
  return [{ ...flaw, claim, fullNames: inFull(subject) }];
}

/**
 * The trusted certificate, if it is above the leaf and out of date. A server may send an old copy of an authority's
 * certificate, but clients use their own copy.
 */
function outdatedEnd({ chainTrust: { path }, evidence }: ChainCase): Certificate | null {
  const end = path.length > 1 ? path.at(-1) : undefined;
  if (end === undefined) return null;
  const { trust, baseline, now } = evidence;
  const anchors = trust.anchors.map(({ certificate }) => certificate);
  const held = [...anchors, ...trust.publicRoots.bySubject(end.subject), ...(baseline?.authorities ?? [])];
  const copies = held.filter(({ pin }) => pin === end.pin);
  return copies.some((copy) => isInDate(copy, now)) ? null : (copies[0] ?? null);
}

export const FLAW_RULE = 'chain-has-no-flaw';

/** FortiAuthenticator's log can change the level of findings with this rule. */
export const OLDER_TLS_RULE = 'older-tls-is-not-inspected';

/** This machine's own connections work, but FortiAuthenticator's connections may fail. */
export function isOlderTlsFault(finding: Finding): boolean {
  return finding.rule === OLDER_TLS_RULE && isFault(finding);
}

function issuerClaim(chain: ChainCase): string {
  const { chainTrust, leaf } = chain;
  const issued = `The certificate was issued by ${called(leaf.issuer)}`;
  const top = (chainTrust.path.at(-1) ?? leaf).issuer;
  const end = isSameName(top, leaf.issuer) ? null : called(top);
  switch (chainTrust.kind) {
    case 'trusted':
      return `${issued}, a trusted authority.`;
    case 'weak':
      return `${issued}, but its key, signature or usage is not acceptable.`;
    case 'public':
      return `${issued}, ${end === null ? 'a public authority' : `under the public authority ${end}`}.`;
    case 'vendor':
      return `${issued}, a Fortinet authority that is not accepted for this host.`;
    case 'forged':
      return `The certificate claims to be issued by ${called(top)}, but was not signed with that authority's key.`;
    case 'unfinished':
      return `${issued}, but the chain contains too many certificates, or verifying its signatures takes too long.`;
    case 'foreign':
    case 'incomplete':
      return untrustedClaim(chain, issued, end);
  }
}

/** @param end null if the chain's last authority is the issuer */
function untrustedClaim({ chainTrust, leaf, sent, evidence }: ChainCase, issued: string, end: string | null): string {
  const product = findProduct(evidence.products, leaf.issuer)?.name;
  if (product !== undefined) return `${issued}, ${inspectionAuthority(product)}.`;
  if (chainTrust.kind === 'incomplete') {
    const wasSent = sent.slice(1).some(({ subject }) => isSameName(subject, (chainTrust.path.at(-1) ?? leaf).issuer));
    return `${issued}, ${end === null ? '' : `under ${end}, `}which is unknown${wasSent ? '' : ' and was not sent'}.`;
  }
  if (chainTrust.path.length === 1) return `The certificate is self-signed by ${called(leaf.issuer)}.`;
  return `${issued}, ${end === null ? 'a root that is not trusted' : `under the root ${end}, which is not trusted`}.`;
}

function inspectionAuthority(product: string): string {
  return product === 'Fortinet FortiGate'
    ? "a FortiGate's inspection authority"
    : `an inspection authority from ${product}`;
}

function trustedEnds({ evidence }: ChainCase): string {
  if (evidence.profile === 'public') return "One of Mozilla's root authorities";
  const { pins, anchors } = trustUnder(evidence.profile, evidence.trust);
  const keys = [
    ...anchors.map(({ certificate, origin, label }) => ({ origin, label, name: certificate.subject })),
    ...pins,
  ].map(({ origin, label, name }) => ({ origin, text: name === null ? label : called(name) }));
  const namesOf = (from: (typeof keys)[number]['origin']): readonly string[] => [
    ...new Set(keys.filter(({ origin }) => origin === from).map(({ text }) => text)),
  ];
  const [shipped, configured] = [namesOf('shipped'), namesOf('configured')];
  const accepted = [
    ...(shipped.length === 0 ? [] : [`a Fortinet authority (${alternatives(shipped)})`]),
    ...(configured.length === 0 ? [] : [`a configured authority (${alternatives(configured)})`]),
  ];
  return accepted.length === 0 ? 'A trusted authority (none is configured)' : accepted.join(', or ');
}

/** As in `a, b or c`. */
function alternatives(names: readonly string[]): string {
  const shown = names.length > MOST_NAMES ? [nameList(names, MOST_NAMES)] : names;
  return [shown.slice(0, -1).join(', '), ...shown.slice(-1)].filter((part) => part !== '').join(' or ');
}
