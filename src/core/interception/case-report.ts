import type { CauseId } from '../cause.ts';
import { attributeValues, formatDistinguishedName } from '../distinguished-name.ts';
import type { Finding, FindingLevel } from '../finding.ts';
import type { ChainCase } from './chain-case.ts';
import { deviceOf } from './device-certificate.ts';
import {
  authorityFinding,
  cutFinding,
  datesFinding,
  droppedFinding,
  flawFindings,
  type Expectation,
  gapFinding,
  nameFinding,
  renewalFinding,
  strengthFinding,
  verificationFinding,
  weakerFinding,
} from './expectations.ts';
import type { Signal } from './signal.ts';
import type { Verdict } from './tls-evidence.ts';
import { trustUnder } from './trust.ts';
import type { VerdictRule, VerdictRuleId } from './verdict-rules.ts';

const LEVELS: Readonly<Record<Verdict, FindingLevel>> = {
  genuine: 'note',
  rotated: 'note',
  'vendor-ca-changed': 'warning',
  intercepted: 'broken',
  'interception-suspected': 'broken',
  'certificate-broken': 'broken',
  blocked: 'broken',
  unknown: 'unknown',
};

const CAUSES: Readonly<Record<Verdict, CauseId | null>> = {
  genuine: null,
  rotated: 'certificate-rotated',
  'vendor-ca-changed': 'vendor-ca-changed',
  intercepted: 'tls-intercepted',
  'interception-suspected': 'tls-interception-suspected',
  'certificate-broken': 'certificate-broken',
  blocked: 'tls-blocked',
  unknown: null,
};

/** How one row of the verdict table is told. */
interface Telling {
  readonly findings: (chain: ChainCase, signals: readonly Signal[]) => readonly Expectation[];
  /** How grave it is, where it is not as grave as the verdict. */
  readonly level?: FindingLevel;
  /** One sentence. `by`: who intercepts, as far as it is known. */
  readonly summary: (chain: ChainCase, by: string) => string;
  /** What would turn it into a plain answer; left out where the answer is plain. */
  readonly settle?: (chain: ChainCase) => string;
}

const LEARN = 'the chain learned with "ftm-watch trust learn" on a path known to be clean';

const verified = (chain: ChainCase, signals: readonly Signal[]): readonly Expectation[] => [verificationFinding(chain), ...signals];
const dates = (chain: ChainCase): readonly Expectation[] => [datesFinding(chain)];
const target = (chain: ChainCase): string => chain.evidence.target;
const issuer = (chain: ChainCase): string => formatDistinguishedName(chain.leaf.issuer);
const flawText = (chain: ChainCase): string => chain.accepted?.flaws[0]?.text ?? 'of an unknown flaw';
const device = (chain: ChainCase): string => deviceOf(chain.leaf) ?? 'A device';
const staleness = (chain: ChainCase): string => (chain.dates === 'expired' ? 'has expired' : 'is not yet valid');
const kindOf = (chain: ChainCase): string => (chain.standing.kind === 'vendor' ? 'the private Fortinet authority' : 'a public authority');
const clock = { findings: dates, settle: (): string => "This machine's clock set right" };
const otherView = (chain: ChainCase): string =>
  chain.evidence.controls.length === 0
    ? 'A control host that can be reached: the same issuer there proves inspection'
    : `The firewall policy that matches this traffic, or ${LEARN}`;

const TELLINGS: Readonly<Record<VerdictRuleId, Telling>> = {
  'own-clock': { ...clock, summary: (chain) => `The certificate of ${target(chain)} cannot be judged: this machine's clock is wrong` },
  'elsewhere-own-clock': {
    ...clock,
    summary: (chain) => `The certificate of ${target(chain)} cannot be judged: this machine's clock is wrong`,
  },
  'device-and-more': {
    findings: (_, signals) => signals,
    summary: (chain) => `${device(chain)} answers in place of ${target(chain)} with its factory certificate`,
  },
  device: {
    findings: (_, signals) => signals,
    summary: (chain) => `${device(chain)} seems to answer in place of ${target(chain)}: the certificate is a device's, not the server's`,
    settle: otherView,
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
    settle: () => `Whether FortiAuthenticator works: then ${LEARN}`,
  },
  'misnamed-and-more': {
    findings: (chain, signals) => [nameFinding(chain), ...signals],
    summary: (chain) => `Something else seems to answer in place of ${target(chain)}: the certificate is for another name`,
    settle: otherView,
  },
  gap: {
    findings: gapFinding,
    summary: (chain) => `${target(chain)} does not send its whole chain: clients without the missing certificate refuse it`,
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
    summary: (chain) => `TLS clients refuse the certificate of ${target(chain)} since it has changed: ${flawText(chain)}`,
  },
  flaw: {
    findings: flawFindings,
    level: 'warning',
    summary: (chain) => `TLS clients may refuse the certificate of ${target(chain)}: ${flawText(chain)}`,
    settle: () => 'The log of FortiAuthenticator: whether it connects nevertheless',
  },
  'other-authority': {
    findings: (chain) => [authorityFinding(chain)],
    summary: (chain) => `${target(chain)} has a certificate from another trusted authority than learned: ${issuer(chain)}`,
  },
  renewed: {
    findings: (chain) => [renewalFinding(chain)],
    summary: (chain) => `${target(chain)} has a new certificate under the same authority`,
  },
  genuine: {
    findings: () => [],
    summary: (chain) => `The certificate of ${target(chain)} is genuine, under ${chain.standing.label ?? 'a trusted key'}`,
  },
  weak: {
    findings: (chain) => [strengthFinding(chain)],
    summary: (chain) => `The certificate of ${target(chain)} rests on a key, signature or use that no client should take`,
  },
  'elsewhere-contradicted': {
    findings: verified,
    summary: (chain) => `TLS to ${target(chain)} seems to be intercepted: another path shows the genuine key, this one ${issuer(chain)}`,
    settle: otherView,
  },
  elsewhere: {
    findings: verified,
    summary: (chain) => `${target(chain)} has a certificate from ${kindOf(chain)}, not from a trusted one: ${issuer(chain)}`,
  },
  'two-signals': {
    findings: verified,
    summary: (chain, by) => `TLS to ${target(chain)} is intercepted: its certificate is issued by ${by}`,
  },
  'one-signal': {
    findings: verified,
    summary: (chain, by) => `TLS to ${target(chain)} seems to be intercepted: its certificate is issued by ${by}`,
    settle: otherView,
  },
  hint: {
    findings: verified,
    summary: (chain, by) => `TLS to ${target(chain)} may be intercepted: its certificate is issued by ${by}`,
    settle: otherView,
  },
  open: {
    findings: verified,
    summary: (chain) =>
      `Whether the certificate of ${target(chain)} is genuine is not known: its issuer ${issuer(chain)} leads to no trusted key`,
    settle: missingTrust,
  },
};

function missingTrust({ evidence, leaf, standing }: ChainCase): string {
  const { pins, anchors } = trustUnder(evidence.profile, evidence.trust);
  if (evidence.profile !== 'public' && pins.length + anchors.length === 0)
    return `Something to trust: trust.pins or trust.caFiles, or ${LEARN}`;
  if (evidence.profile === 'public') return 'The intermediate certificates, which a server has to send along with its own';
  const missing = (standing.path.at(-1) ?? leaf).issuer;
  // One that does not even claim to be the vendor's is not offered to be trusted.
  const name = attributeValues(missing, 'O').includes('Fortinet') ? `: ${formatDistinguishedName(missing)}` : '';
  return `The authority that a FortiGate exports as Fortinet_CA or Fortinet_Sub_CA${name}, in trust.caFiles, or ${LEARN}`;
}

export interface CaseReport {
  readonly findings: readonly Finding[];
  readonly summary: string;
  readonly settle: string | null;
}

/** What a person is told about a judged chain: what decided at the verdict's level, what else was seen as notes. */
export function reportCase(chain: ChainCase, rule: Pick<VerdictRule, 'id' | 'verdict'>, signals: readonly Signal[]): CaseReport {
  const telling = TELLINGS[rule.id];
  const product = signals.find((signal) => signal.product !== null)?.product ?? null;
  const summary = telling.summary(chain, product ?? `the authority ${issuer(chain)}`);
  const level = {
    subject: target(chain),
    level: telling.level ?? LEVELS[rule.verdict],
    suggests: CAUSES[rule.verdict],
    facts: { judgement: summary, ...(product === null ? {} : { product }) },
  };
  const deciding = telling
    .findings(chain, signals)
    .map(({ rule: name, expected, actual }): Finding => ({ rule: name, expected, actual, ...level }));
  const told = new Set(deciding.map((finding) => finding.rule));
  const asides = [...gapFinding(chain), ...weakerFinding(chain), ...droppedFinding(chain)].filter((aside) => !told.has(aside.rule));
  return {
    findings: [...deciding, ...asides.map((aside): Finding => ({ ...aside, subject: target(chain), level: 'note', suggests: null }))],
    summary,
    settle: telling.settle?.(chain) ?? null,
  };
}
