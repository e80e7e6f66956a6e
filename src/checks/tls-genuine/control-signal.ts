import { hostOf } from '../../core/authority.ts';
import { type CapturedChain, type Certificate, type SentChain, sentChain } from '../../core/certificate.ts';
import { formatDistinguishedName, isSameName } from '../../core/distinguished-name.ts';
import { type ChainCase, isBeyondComparison, isPublicChain } from './chain-case.ts';
import { walkChain } from './chain-walk.ts';
import { claimsVendor } from './claim.ts';
import { authorityKeyIdentifier } from './extensions.ts';
import { visibleText } from '../../core/visible-text.ts';
import { called, inFull } from './called.ts';
import { areRelatedHosts, matchesName } from './name-match.ts';
import { findProduct } from './product.ts';
import type { Seen } from './signal.ts';
import type { TlsEvidence } from './tls-evidence.ts';

/**
 * The same private issuer, or the same leaf key, on an unrelated control host: no vendor signs for both. Control hosts
 * whose chain ends at one of Mozilla's roots are clean, and two hosts behind one public authority are ordinary.
 */
export function atControlHost(chain: ChainCase): Seen | null {
  if (isBeyondComparison(chain)) return null;
  const { evidence, leaf } = chain;
  const controls = controlsOf(evidence);
  // One certificate for many names is ordinary on a public content network, but then it names the target.
  const twin = chain.identity === 'named' ? undefined : controls.find((control) => control.leaf.pin === leaf.pin);
  if (twin !== undefined) return seenAt(twin, chain, 'the same certificate key');
  const alike = controls.filter((control) => isAlike(chain, control));
  const [first] = alike;
  if (first === undefined || (chain.claim === 'public' && !isEverywhere(alike, evidence))) return null;
  return seenAt(first, chain, 'the same private issuer');
}

function isAlike(chain: ChainCase, control: Control): boolean {
  if (isPublicChain(control.sent, control.host, chain.evidence, chain.checks) || !isUnrelated(chain, control))
    return false;
  return control.leaf.pin === chain.leaf.pin || sharesIssuer(chain, control);
}

/**
 * One host that forgets to send the intermediate of a public authority is everyday business, the same one on every host
 * is none; nor is one that signs for any name at the same address.
 */
function isEverywhere(alike: readonly Control[], { controls }: TlsEvidence): boolean {
  const targets = new Set(controls.map(({ target }) => target));
  const found = new Set(alike.map(({ target }) => target));
  return [...found].some((target) => !targets.has(target)) || (targets.size > 1 && found.size === targets.size);
}

interface Control {
  readonly target: string;
  /** The same at the beginning of a sentence. */
  readonly shownBy: string;
  readonly host: string;
  /** It is another host than the target. */
  readonly isElsewhere: boolean;
  readonly leaf: Certificate;
  readonly sent: SentChain;
}

/**
 * The control hosts, and the target itself when it showed a certificate for a control host's name: a server has no
 * certificate for other people's names; one who makes them up on demand has.
 */
function controlsOf({ controls, references }: TlsEvidence): readonly Control[] {
  const minted = references.filter(({ kind, label, chain }) => {
    const leaf = chain.certificates[0];
    return kind === 'server-name' && leaf !== undefined && matchesName(leaf, label, { commonName: true });
  });
  return [
    ...controls.flatMap(({ target, chain }) =>
      toControl({ target, shownBy: `The unrelated host ${target}`, host: hostOf(target), isElsewhere: true }, chain),
    ),
    ...minted.flatMap(({ label, chain }) => {
      const what = `same address with the server name ${label}`;
      return toControl({ target: `the ${what}`, shownBy: `The ${what}`, host: label, isElsewhere: false }, chain);
    }),
  ];
}

function toControl(shown: Omit<Control, 'leaf' | 'sent'>, chain: CapturedChain): readonly Control[] {
  const sent = sentChain(chain);
  return sent === null ? [] : [{ ...shown, leaf: sent[0], sent }];
}

function seenAt({ target, shownBy, isElsewhere }: Control, { leaf, evidence }: ChainCase, what: string): Seen {
  return {
    expected: `Another issuer on ${target}, unrelated to ${evidence.target}`,
    claim: `${visibleText(shownBy, 110)} shows ${what}: ${called(leaf.issuer)}.`,
    actual: `${target} shows ${what}: ${formatDistinguishedName(leaf.issuer)}`,
    fullNames: inFull(leaf.issuer),
    ...(isElsewhere ? { witness: 'other-host' } : {}),
  };
}

/**
 * A host of the vendor's own domain may rightly be under the vendor's private authority. It counts only when the issuer
 * does not claim to be the vendor, or is known as an inspection product.
 */
function isUnrelated({ evidence, leaf }: ChainCase, control: Control): boolean {
  if (!areRelatedHosts(hostOf(evidence.target), control.host)) return true;
  if (findProduct(evidence.products, leaf.issuer) !== null) return true;
  return !claimsVendor(leaf.issuer, evidence.trust);
}

/** By key, where either of them sent the issuer; by what the leaves say of their issuer, where neither did. */
function sharesIssuer(chain: ChainCase, control: Control): boolean {
  const target = issuersOf(chain.leaf, chain, control);
  const other = new Set(issuersOf(control.leaf, chain, control).map((issuer) => issuer.pin));
  if (target.length > 0 || other.size > 0) return target.some((issuer) => other.has(issuer.pin));
  return namesSameIssuer(chain.leaf, control.leaf);
}

function issuersOf(leaf: Certificate, chain: ChainCase, control: Control): readonly Certificate[] {
  const candidates = [...chain.sent, ...control.sent, ...chain.chainTrust.authorities];
  const steps = walkChain({ leaf, candidates, lookUp: () => [], accepts: () => true, checks: chain.checks });
  return steps.slice(1).map((step) => step.certificate);
}

function namesSameIssuer(left: Certificate, right: Certificate): boolean {
  if (left.issuer.attributes.length === 0 || !isSameName(left.issuer, right.issuer)) return false;
  const [leftKey, rightKey] = [authorityKeyIdentifier(left), authorityKeyIdentifier(right)];
  return leftKey === null || rightKey === null || leftKey === rightKey;
}
