import type { Finding, FindingLevel } from '../../engine/finding.ts';
import { formatDistinguishedName } from '../../core/distinguished-name.ts';
import type { ChainCase } from './chain-case.ts';
import { deviceOf } from './device-certificate.ts';
import {
  authorityFinding,
  cutFinding,
  datesFinding,
  type Expectation,
  flawFindings,
  gapFinding,
  nameFinding,
  renewalFinding,
  strengthFinding,
  verificationFinding,
} from './expectations.ts';
import type { Signal } from './signal.ts';
import { trustUnder } from './trust.ts';
import type { VerdictRuleId } from './verdict-rules.ts';

/** How one row of the verdict table is told. */
export interface VerdictWording {
  readonly findings: (chain: ChainCase, signals: readonly Signal[]) => readonly Expectation[];
  /** One sentence. `by`: who intercepts, as far as it is known. */
  readonly summary: (chain: ChainCase, by: string) => string;
  /** What would turn it into a plain answer; left out where the answer is plain. */
  readonly wouldSettle?: (chain: ChainCase) => string;
  /** Where it is not the level of the verdict. */
  readonly level?: FindingLevel;
  /** What nobody can say beside it: leaves the precondition unknown. */
  readonly open?: (chain: ChainCase) => Expectation;
  /** Where the catalogue of causes speaks of something else. */
  readonly advice?: NonNullable<Finding['advice']>;
}

const LEARN = 'the chain learned with "ftm-watch trust learn" on a path known to be clean';

const verified = (chain: ChainCase, signals: readonly Signal[]): readonly Expectation[] => [
  verificationFinding(chain),
  ...signals,
];
/** What was seen at other hosts or before does not matter where the chain itself says enough. */
const verifiedAlone = (chain: ChainCase): readonly Expectation[] => [verificationFinding(chain)];
const dates = (chain: ChainCase): readonly Expectation[] => [datesFinding(chain)];
const target = (chain: ChainCase): string => chain.evidence.target;
const issuer = (chain: ChainCase): string => formatDistinguishedName(chain.leaf.issuer);
const flawText = (chain: ChainCase): string => chain.accepted?.flaws[0]?.text ?? 'of an unknown flaw';
const device = (chain: ChainCase): string => deviceOf(chain.leaf) ?? 'A device';
const staleness = (chain: ChainCase): string => (chain.dates === 'expired' ? 'has expired' : 'is not yet valid');
const kindOf = (chain: ChainCase): string =>
  chain.chainTrust.kind === 'vendor' ? 'the private Fortinet authority' : 'a public authority';
const clock = { findings: dates, wouldSettle: (): string => "This machine's clock set right" };
const otherView = (chain: ChainCase): string =>
  chain.evidence.controls.length === 0
    ? 'A control host that can be reached: the same issuer there proves inspection'
    : `The firewall policy that matches this traffic, or ${LEARN}`;

export const VERDICT_WORDINGS: Readonly<Record<VerdictRuleId, VerdictWording>> = {
  'own-clock': {
    ...clock,
    summary: (chain) => `The certificate of ${target(chain)} cannot be judged: this machine's clock is wrong`,
  },
  'elsewhere-own-clock': {
    ...clock,
    summary: (chain) => `The certificate of ${target(chain)} cannot be judged: this machine's clock is wrong`,
  },
  'claimed-own-clock': {
    ...clock,
    summary: (chain) => `The certificate of ${target(chain)} cannot be judged: this machine's clock is wrong`,
  },
  'device-and-more': {
    findings: (_, signals) => signals,
    summary: (chain) => `${device(chain)} answers in place of ${target(chain)} with its factory certificate`,
  },
  device: {
    findings: (_, signals) => signals,
    summary: (chain) =>
      `${device(chain)} seems to answer in place of ${target(chain)}: the certificate is a device's, not the server's`,
    wouldSettle: otherView,
  },
  dates: {
    findings: dates,
    summary: (chain) => `The certificate of ${target(chain)} comes from a trusted authority but ${staleness(chain)}`,
  },
  'elsewhere-dates': {
    findings: (chain) => [datesFinding(chain), verificationFinding(chain)],
    summary: (chain) => `The certificate of ${target(chain)} ${staleness(chain)}, and comes from ${kindOf(chain)}`,
  },
  misnamed: {
    findings: (chain) => [nameFinding(chain)],
    summary: (chain) => `The certificate of ${target(chain)} comes from a trusted authority but is for another name`,
    wouldSettle: () => `Whether FortiAuthenticator works: then ${LEARN}`,
  },
  'misnamed-and-more': {
    findings: (chain, signals) => [nameFinding(chain), ...signals],
    summary: (chain) =>
      `Something else seems to answer in place of ${target(chain)}: the certificate is for another name`,
    wouldSettle: otherView,
  },
  gap: {
    findings: gapFinding,
    summary: (chain) =>
      `${target(chain)} does not send its whole chain: clients without the missing certificate refuse it`,
  },
  cut: {
    findings: (chain) => [cutFinding(chain)],
    summary: (chain) => `The connection to ${target(chain)} is cut right after the genuine certificate`,
  },
  'elsewhere-cut': {
    findings: (chain) => [cutFinding(chain), verificationFinding(chain)],
    summary: (chain) => `The connection to ${target(chain)} is cut right after the certificate`,
  },
  'new-flaw': {
    findings: flawFindings,
    summary: (chain) =>
      `TLS clients refuse the certificate of ${target(chain)} since it has changed: ${flawText(chain)}`,
  },
  flaw: {
    findings: flawFindings,
    level: 'warning',
    summary: (chain) => `TLS clients may refuse the certificate of ${target(chain)}: ${flawText(chain)}`,
    wouldSettle: () => 'The log of FortiAuthenticator: whether it connects nevertheless',
  },
  'other-authority': {
    findings: (chain) => [authorityFinding(chain)],
    summary: (chain) =>
      `${target(chain)} has a certificate from another trusted authority than learned: ${issuer(chain)}`,
  },
  renewed: {
    findings: (chain) => [renewalFinding(chain)],
    summary: (chain) => `${target(chain)} has a new certificate under the same authority`,
  },
  genuine: {
    findings: () => [],
    summary: (chain) =>
      `The certificate of ${target(chain)} is genuine, under ${chain.chainTrust.label ?? 'a trusted key'}`,
  },
  weak: {
    findings: (chain) => [strengthFinding(chain)],
    summary: (chain) =>
      `The certificate of ${target(chain)} rests on a key, signature or use that no client should take`,
  },
  'elsewhere-contradicted': {
    findings: verified,
    summary: (chain) =>
      `TLS to ${target(chain)} seems to be intercepted: another path shows the genuine key, this one ${issuer(chain)}`,
    wouldSettle: otherView,
  },
  elsewhere: {
    findings: verifiedAlone,
    summary: (chain) =>
      `${target(chain)} has a certificate from ${kindOf(chain)}, not from a trusted one: ${issuer(chain)}`,
  },
  witnessed: {
    findings: verified,
    summary: (chain, by) => `TLS to ${target(chain)} is intercepted: its certificate is issued by ${by}`,
  },
  untrusting: {
    findings: verifiedAlone,
    summary: (chain) =>
      `Whether the certificate of ${target(chain)} is genuine is not known: nothing is trusted to compare it with`,
    wouldSettle: () => `Something to trust: trust.pins or trust.caFiles, or ${LEARN}`,
  },
  stranger: {
    findings: (chain, signals) => [verificationFinding(chain), nameFinding(chain), ...signals],
    summary: (chain) =>
      chain.identity === 'device'
        ? `${device(chain)} seems to answer in place of ${target(chain)}: the certificate is a device's, not the ` +
          `server's`
        : `Something else seems to answer in place of ${target(chain)}: the certificate is for another name, ` +
          `issued by ${issuer(chain)}`,
    wouldSettle: otherView,
  },
  'claimed-dates': {
    findings: (chain) => [datesFinding(chain), verificationFinding(chain)],
    summary: (chain) =>
      `The certificate of ${target(chain)} ${staleness(chain)}, and its issuer ${issuer(chain)} ` +
      'leads to no trusted key',
    wouldSettle: otherView,
  },
  'claimed-cut': {
    findings: (chain) => [cutFinding(chain), verificationFinding(chain)],
    summary: (chain) => `The connection to ${target(chain)} is cut right after the certificate`,
  },
  'claimed-hint': {
    findings: verified,
    summary: (chain, by) => `TLS to ${target(chain)} may be intercepted: its certificate is issued by ${by}`,
    wouldSettle: otherView,
  },
  'new-vendor-authority': {
    findings: (chain, signals) => [
      ...verified(chain, signals),
      ...(chain.identity === 'other' ? [nameFinding(chain)] : []),
    ],
    open: (chain) => ({
      rule: 'authority-is-known',
      expected: 'An authority whose key is known',
      actual: `${missingName(chain)} is not known: nobody can say whether FortiAuthenticator accepts it`,
    }),
    summary: (chain) =>
      `${target(chain)} has a certificate from an authority of the vendor's name whose key is not known: ` +
      `${missingName(chain)}`,
    wouldSettle: knownAuthority,
    advice: {
      summary: '{judgement}.',
      remedy: [
        'Either Fortinet has a new authority, or a device that inspects has taken its name. Compare from another ' +
          'network: if the issuer is the same there, it is Fortinet that has changed it.',
        'Compare the issuer with the authorities of a FortiGate with current firmware ("get vpn certificate ca ' +
          'details Fortinet_CA"). Where it has this one, take it from there into trust.caFiles, never from the ' +
          'connection itself.',
        'If FortiAuthenticator logs errors at the same time, it does not accept the certificate: treat it as ' +
          'inspection until the comparison says otherwise, and ask TAC whether newer firmware knows the authority.',
      ],
    },
  },
  'public-incomplete': {
    findings: verified,
    level: 'warning',
    summary: (chain) =>
      `The chain of ${target(chain)} is incomplete: it ends at the public authority ${missingName(chain)}, which ` +
      'was not sent',
    wouldSettle: () => 'The intermediate certificates, which a server has to send along with its own',
    advice: {
      summary: '{judgement}.',
      remedy: [
        'A server has to send the intermediate certificates along with its own. Compare from another network: if ' +
          'the chain is as short there, the fault is at the server.',
        'If the chain is complete from there, a device on the way of this network answers in its place: look for ' +
          'one that inspects TLS.',
      ],
    },
  },
  unverified: {
    findings: verified,
    summary: (chain, by) => `TLS to ${target(chain)} seems to be intercepted: its certificate is issued by ${by}`,
    wouldSettle: otherView,
  },
};

/** The name that the chain ends at, for a person. */
function missingName({ chainTrust, leaf }: ChainCase): string {
  return formatDistinguishedName((chainTrust.path.at(-1) ?? leaf).issuer);
}

function knownAuthority(chain: ChainCase): string {
  const { pins, anchors } = trustUnder(chain.evidence.profile, chain.evidence.trust);
  if (pins.length + anchors.length === 0) return `Something to trust: trust.pins or trust.caFiles, or ${LEARN}`;
  return (
    `The certificate of ${missingName(chain)} as a FortiGate with current firmware has it, then in ` +
    `trust.caFiles; or ${LEARN}`
  );
}
