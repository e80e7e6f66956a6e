import { counted } from '../../core/counted.ts';
import { formatDistinguishedName } from '../../core/distinguished-name.ts';
import { instantText } from '../../core/instant-text.ts';
import type { Millis } from '../../core/clock.ts';
import { called, inFull } from './called.ts';
import { nameList } from '../../core/name-list.ts';
import { type ChainCase, isBeyondComparison } from './chain-case.ts';
import { atControlHost } from './control-signal.ts';
import { copySignals } from './copy-signal.ts';
import { deviceOf } from './device-certificate.ts';
import { weakerFinding } from './expectations.ts';
import { privateLocation } from './location-signal.ts';
import { findProduct } from './product.ts';
import { referenceSignals } from './reference-signal.ts';
import type { Seen, Signal } from './signal.ts';

type Finder = (chain: ChainCase) => readonly Signal[];

/** Every expectation about a chain, in the order in which their failures are told. Add one here. */
const SIGNALS: readonly Finder[] = [
  signal('issuer-is-no-inspection-product', 'witness', catalogued),
  signal('control-host-has-another-issuer', 'witness', atControlHost),
  signal('leaf-is-no-device-certificate', 'weak', deviceCertificate),
  signal('identity-as-learned', 'weak', deviceForServer),
  copySignals,
  referenceSignals,
  signal('no-forward-proxy-headers', 'witness', forwardProxy),
  signal('issuer-is-found-on-the-internet', 'witness', privateLocation),
  signal('certificate-is-not-brand-new', 'weak', brandNew),
  signal('serial-stays', 'weak', changingSerial),
  // Inspection often lowers what the server itself offers.
  signal('as-strong-as-learned', 'hint', (chain) => weakerFinding(chain)[0] ?? null),
  // A change at the vendor begins like these as well, so they only stand in the evidence: they say since when.
  signal('genuine-as-before', 'weak', genuineBefore),
  signal('issuer-as-learned', 'weak', otherThanLearned),
];

/** All that speaks for interception. */
export function signalsOf(chain: ChainCase): readonly Signal[] {
  return SIGNALS.flatMap((find) => find(chain));
}

function signal(rule: string, weight: Signal['weight'], find: (chain: ChainCase) => Seen | null): Finder {
  return (chain) => {
    const seen = find(chain);
    return seen === null ? [] : [{ ...seen, rule, weight }];
  };
}

/**
 * An inspection product's name among the issuers. Only issuers: some products copy their own name into the leaf's
 * subject, and their maker's own web sites carry it there too.
 */
function catalogued({ leaf, chainTrust, evidence }: ChainCase): Seen | null {
  const issuers = [leaf.issuer, ...chainTrust.path.slice(1).flatMap(({ subject, issuer }) => [subject, issuer])];
  const [found] = issuers.flatMap((issuer) => {
    const product = findProduct(evidence.products, issuer);
    return product === null ? [] : [{ issuer, product: product.name }];
  });
  if (found === undefined) return null;
  return {
    expected: 'An issuer that is not known as an inspection product',
    claim: `${called(found.issuer)} is a name that ${found.product} gives its inspection authorities.`,
    actual: `Issued by ${formatDistinguishedName(found.issuer)}, as ${found.product} does`,
    fullNames: inFull(found.issuer),
    product: found.product,
  };
}

/**
 * A factory certificate of a Fortinet unit in the server's place: it says who answers. The verdict knows the identity
 * by itself.
 */
function deviceCertificate({ identity, leaf }: ChainCase): Seen | null {
  const product = identity === 'device' ? deviceOf(leaf) : null;
  if (product === null) return null;
  const actual = `The factory certificate of a device: ${formatDistinguishedName(leaf.subject)}`;
  return {
    claim: `The certificate is the factory certificate of a device, ${called(leaf.subject)}.`,
    expected: "The licence server's own certificate",
    actual,
    fullNames: inFull(leaf.subject),
    product,
  };
}

/** A device where the baseline has a server. */
function deviceForServer({ identity, evidence, leaf }: ChainCase): Seen | null {
  const known = evidence.baseline?.leaves[0];
  if (known === undefined || identity !== 'device') return null;
  const expected = `The learned identity: ${called(known.subject)}`;
  return {
    claim: `The certificate is that of ${called(leaf.subject)}, where ${called(known.subject)} was learned.`,
    expected,
    actual: formatDistinguishedName(leaf.subject),
    fullNames: inFull(leaf.subject, known.subject),
  };
}

/**
 * Header fields that forward proxies and filters add to answers, and no server or content network does (mitmengine,
 * reference_fingerprints/mitmengine/badheader.txt). `via` and the caches of Squid are not among them: a server may
 * stand behind one.
 */
const FORWARD_PROXY = /^(?:proxy-connection|x-bluecoat-via|x-iwsaas-via|x-mwg-via|x-sophos-wsa-clientip|zsa-.*)$/u;

function forwardProxy({ evidence }: ChainCase): Seen | null {
  const found = evidence.traces.filter((trace) => FORWARD_PROXY.test(trace));
  if (found.length === 0) return null;
  const actual = `The answer carries ${nameList(found)}`;
  const claim = `The answer has headers that only a forward proxy adds: ${nameList(found, 4)}.`;
  return { claim, expected: 'No header that only a forward proxy adds', actual };
}

const HOUR_MS = 60 * 60 * 1000;
const FRESH_MS = 6 * HOUR_MS;
const SERIAL_MEMORY_MS = 24 * HOUR_MS;

/** Made on the fly: it became valid a few hours ago. */
function brandNew({ leaf, evidence }: ChainCase): Seen | null {
  const age = evidence.now - leaf.notBefore;
  if (age < 0 || age >= FRESH_MS) return null;
  const ago = agoText(age);
  return {
    claim: `The certificate is brand-new: it became valid only ${ago} ago.`,
    expected: 'A certificate that was made before it was asked for',
    actual: `Became valid only ${ago} ago`,
  };
}

function agoText(age: Millis): string {
  const minutes = Math.round(age / 60_000);
  if (minutes < 1) return 'moments';
  return minutes < 120 ? counted(minutes, 'minute') : counted(Math.round(minutes / 60), 'hour');
}

/**
 * Connections that each showed another serial: three may be the nodes behind a name, four in a day that never repeat
 * hardly are.
 */
const MIN_SERIALS = 4;

/** Made on the fly: another serial on each connection. */
function changingSerial({ leaf, evidence: { previous, now } }: ChainCase): Seen | null {
  const recent = previous.filter(({ at }) => now - at <= SERIAL_MEMORY_MS);
  const serials = [...recent, leaf].map(({ serial }) => serial);
  if (serials.length < MIN_SERIALS || new Set(serials).size < serials.length) return null;
  const actual = `${String(serials.length)} connections in a day, each with another serial`;
  const claim = `Each of ${String(serials.length)} connections in a day showed a certificate with another serial number.`;
  return { claim, expected: 'The same certificate on the next connection', actual };
}

/** This program verified the same target itself before. */
function genuineBefore(chain: ChainCase): Seen | null {
  const { remembered } = chain.evidence;
  if (isBeyondComparison(chain) || remembered === null) return null;
  const expected = `A chain to ${remembered.label}, genuine until ${instantText(remembered.at)}`;
  const { issuer } = chain.leaf;
  const claim = `The certificate is issued by ${called(issuer)} now; a genuine one was seen here before.`;
  return { claim, expected, actual: issuedBy(chain), fullNames: inFull(issuer) };
}

function otherThanLearned(chain: ChainCase): Seen | null {
  const { baseline } = chain.evidence;
  const [learned] = baseline?.leaves ?? [];
  if (isBeyondComparison(chain) || chain.baselineMatch !== 'other-authority' || !baseline || !learned) return null;
  const { issuer } = chain.leaf;
  return {
    claim: `The certificate is issued by ${called(issuer)} and not by ${called(learned.issuer)}, as learned.`,
    expected: `Issued by ${called(learned.issuer)}, as learned at ${instantText(baseline.learnedAt)}`,
    actual: issuedBy(chain),
    fullNames: inFull(issuer, learned.issuer),
  };
}

function issuedBy({ leaf }: ChainCase): string {
  return `Issued by ${formatDistinguishedName(leaf.issuer)}`;
}
