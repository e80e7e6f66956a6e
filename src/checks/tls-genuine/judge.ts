import { type Advice, type Finding, isFault, known, type FindingFacts } from '../../engine/model.ts';
import { authority } from '../../core/addresses.ts';
import { type FirewallObservation, type PolicyMatch, policyText } from '../../core/firewall.ts';
import { nameList } from '../../core/visible-text.ts';
import { FORTIGATE_SERIAL } from '../../engine/words.ts';
import { asOthersSeeIt, unreadablePeers } from '../peer-views.ts';
import type { Declaration, Facts, Judgement, TargetFacts } from '../check.ts';
import { withClean } from '../endpoint-words.ts';
import { withSampling } from '../intermittent/finding.ts';
import { withFindings } from '../judgement.ts';
import { unexplained } from '../polling/explained.ts';
import { judgeTargets } from '../targets.ts';
import type { PathObservation } from '../../core/round.ts';
import { TLS_CAUSES, type TlsCause, REPEAT } from './causes.ts';
import { judgeOlderTls } from './judge-older-tls.ts';
import { refusedBaselineFindings } from './chain-case.ts';
import type { PollingCause } from '../polling/causes.ts';
import type { ReachabilityCause } from '../reachability/causes.ts';
import { utcText } from '../../core/time-text.ts';
import { FLAW_RULE, OLDER_TLS_RULE } from './expectations.ts';
import { isSufficientEvidence, ONE_UNPROVEN, type FirewallSighting } from '../../core/polling/state.ts';
import type { AppliancePolling, PollingError, PollingReport } from '../../core/polling/report.ts';

const REFUSED_CERTIFICATE: readonly TlsCause[] = [
  'tls-intercepted',
  'tls-interception-suspected',
  'certificate-broken',
];
/** Causes that log signatures assign to a rejected certificate or any failed TLS connection. */
const FAILED_CONNECTION: readonly (TlsCause | PollingCause)[] = [...REFUSED_CERTIFICATE, 'polling-failing'];
/** A device that drops the packets of TLS 1.2 causes a timeout. */
const FAILED_OLDER_TLS: readonly (TlsCause | PollingCause | ReachabilityCause)[] = [
  ...FAILED_CONNECTION,
  'egress-blocked',
];

/** By rule. This machine cannot observe the effect of these faults on FortiAuthenticator. */
const WEIGHED_BY: ReadonlyMap<string, readonly string[]> = new Map([
  [FLAW_RULE, FAILED_CONNECTION],
  [OLDER_TLS_RULE, FAILED_OLDER_TLS],
]);

/** A single matching log line triggers another check with TLS 1.2. */
export function complainsOfConnections({ appliances }: PollingReport): boolean {
  return appliances.some(({ errors }) => errorsOf(errors, FAILED_OLDER_TLS).length > 0);
}

/** True if FortiAuthenticator's log arrives from reliable senders and contains no FortiToken Mobile errors. */
export function seemsUnaffected(report: PollingReport): boolean {
  return speaks(report, ({ errors }) => errors.length === 0);
}

/**
 * If this machine cannot observe a fault's effect on FortiAuthenticator, the severity depends on whether the log
 * contains errors. Only corroborated errors raise a severity.
 * @param subject the licence server
 */
function withComplaints(findings: readonly Finding[], report: PollingReport, subject: string): readonly Finding[] {
  const isContent = speaks(report, ({ errors }) => !errors.some(({ reliable }) => reliable));
  const isDoubted = report.appliances.some(({ silent, errors }) => !silent && isSufficientEvidence(errors));
  const weighed = findings.map((finding): Finding => {
    const causes = WEIGHED_BY.get(finding.rule);
    if (causes === undefined) return finding;
    const complaints = complaintsOf(report, causes).map(({ error }) => error);
    if (complaints.length > 0 && finding.level === 'warning')
      return { ...finding, level: 'broken', ...basedOn(complaints) };
    if (!isContent || finding.level !== 'broken') return finding;
    return isDoubted ? { ...finding, unproven: true } : { ...finding, level: 'warning' };
  });
  return [...weighed, ...suspicions(weighed, report, subject)];
}

/**
 * A certificate from an unknown authority raises a suspicion if the log contains certificate errors as well. The vendor
 * may use a new authority that FortiAuthenticator does not know yet.
 */
function suspicions(findings: readonly Finding[], report: PollingReport, subject: string): readonly Finding[] {
  const open = findings.find((finding) => finding.subject === subject && isOpenWarning(finding));
  if (open === undefined) return [];
  return complaintsOf(report, REFUSED_CERTIFICATE).map(({ appliance, error }) => ({
    rule: 'appliance-takes-the-certificate',
    subject,
    claim: `${appliance} logged a TLS error at ${utcText(error.lastAt)}, and the certificate's authority is unknown.`,
    quote: error.sample,
    at: error.lastAt,
    expected: `No TLS errors in the log of ${appliance}`,
    level: 'broken',
    suggests: 'tls-interception-suspected',
    confidence: 'suspected',
    facts: { ...open.facts, appliance },
    advice: ADVICE,
    ...basedOn([error]),
  }));
}

/** A level that is due to lines that anybody can write explains no other fault. */
function basedOn(lines: readonly Pick<PollingError, 'reliable'>[]): Pick<Finding, 'unproven'> {
  return lines.some(({ reliable }) => reliable) ? {} : { unproven: true };
}

function isOpenWarning({ level, suggests, confidence }: Finding): boolean {
  return (
    level === 'warning' &&
    confidence === 'suspected' &&
    (suggests === 'vendor-ca-changed' || suggests === 'certificate-broken')
  );
}

/** Skips appliances with too few errors to raise a severity. */
function complaintsOf(
  { appliances }: PollingReport,
  causes: readonly string[],
): readonly { readonly appliance: string; readonly error: PollingError }[] {
  return appliances.flatMap(({ name, errors }) => {
    const complaints = errorsOf(errors, causes);
    const [error] = complaints;
    return error === undefined || !isSufficientEvidence(complaints) ? [] : [{ appliance: name, error }];
  });
}

function errorsOf(errors: readonly PollingError[], causes: readonly string[]): readonly PollingError[] {
  return errors.filter(({ cause, severity }) => severity === 'critical' && cause !== null && causes.includes(cause));
}

/** Anybody can write unproven lines, so without reliable ones, the absence of errors proves nothing. */
function speaks({ appliances }: PollingReport, isFine: (appliance: AppliancePolling) => boolean): boolean {
  const speaking = appliances.filter(({ silent }) => !silent);
  return speaking.some(({ reliableLineAt }) => reliableLineAt !== null) && speaking.every(isFine);
}

const ADVICE: Advice = {
  summary: '{judgement}, and {appliance} reports TLS errors.',
  remedy: [
    'Check the issuer from another network. If it is the same there, Fortinet has changed its certificate, and ' +
      '{appliance} may need newer firmware. Ask Fortinet TAC.',
    'If the certificate is different there, a device on the path inspects TLS. On that device, exempt the traffic ' +
      'from {source} to {host}, TCP {port}.',
    REPEAT,
  ],
};

export const tlsGenuine: Declaration<'tls-genuine', TlsCause> = {
  id: 'tls-genuine',
  title: 'Genuine TLS',
  dependsOn: [{ kind: 'needs', by: 'reachability' }],
  countsForReady: true,
  causes: TLS_CAUSES,
  unknownRemedy:
    'Configure "trust.caFiles" or "trust.pins", or learn the chain on a path that is known to be clean, so that the ' +
    'certificate can be verified.',
  onPath: true,
  place: { kind: 'stop', stop: 'firewall' },
  step: 'tls',
  sources: ['round'],
  judge: (facts) => {
    const { peers, firewall } = facts.picture;
    const summary = facts.round.targets[0].tls.worst?.summary ?? 'There was no connection to check';
    const own = withLogEvidence(judgeTargets('tls-genuine', facts, judgeCertificates, summary), facts);
    const told = { ...own, findings: [...own.findings, ...unreadablePeers(peers)].map(behindFirewall(firewall)) };
    return asOthersSeeIt(told, tlsGenuine, facts);
  },
};

export function judgeCertificates(target: TargetFacts): readonly Finding[] | null {
  const { path, tls, knowledge, clean } = target;
  const found =
    tls.worst === null
      ? null
      : [
          ...tls.worst.findings.map((finding) => withClean(finding, finding.facts?.address === undefined ? [] : clean)),
          ...judgeOlderTls(target),
          ...refusedBaselineFindings(path.subject, knowledge.refusedBaseline),
        ].map((finding) => throughProxy(finding, path));
  return withSampling('tls-genuine', found, target);
}

/** The proxy is the most likely cause of a fault inside its tunnel. */
function throughProxy(finding: Finding, { endpoints }: PathObservation): Finding {
  const proxy = endpoints.find((endpoint) => endpoint.proxy !== null)?.proxy ?? null;
  return proxy === null ? finding : { ...finding, facts: { ...finding.facts, proxy } };
}

/**
 * The configured firewall reports that it does not inspect the traffic, so a separate policy on it would have no
 * effect.
 */
function behindFirewall(observations: readonly FirewallObservation[]): (finding: Finding) => Finding {
  const asked = observations.flatMap((seen) => (seen.kind === 'ok' ? [seen] : []));
  const [first] = asked;
  const isClean = asked.length === observations.length && asked.every(({ match }) => leavesTlsAlone(match));
  if (first === undefined || !isClean) return (finding) => finding;
  const serials = asked.map(({ serial }) => serial);
  const facts = known({
    firewall: nameList([...new Set(asked.map(({ firewall }) => firewall))]),
    policy: first.match.kind === 'policy' ? policyText(first.match.policy) : null,
    source: first.source,
  });
  const isOther = ({ facts: { issuer = '' } = {} }: Finding): boolean =>
    FORTIGATE_SERIAL.test(issuer) && !serials.includes(issuer);
  return (finding) =>
    isFault(finding) && INTERCEPTIONS.includes(finding.suggests ?? '') && isOther(finding)
      ? { ...finding, kind: 'behind-firewall', facts: { ...finding.facts, ...facts } }
      : finding;
}

function leavesTlsAlone(match: PolicyMatch): boolean {
  if (match.kind !== 'policy' || match.policy.action === 'deny' || match.inspection.kind !== 'known') return false;
  const { mode, exemptedBy } = match.inspection;
  return mode === 'none' || (mode === 'deep' && exemptedBy !== null);
}

const INTERCEPTIONS: readonly string[] = ['tls-intercepted', 'tls-interception-suspected'] satisfies TlsCause[];

function withLogEvidence(own: Judgement, { log, config }: Facts): Judgement {
  if (log.kind === 'unheard') return own;
  const report = unexplained(log);
  const subject = authority(config.licenseServer);
  const weighed = { ...own, findings: withComplaints(own.findings, report, subject) };
  return withFindings(weighed, judgeLogEvidence(report, subject));
}

const NOT_OF_UNIT = ' (not between the known addresses, so this is probably the traffic of another user)';

/**
 * A FortiGate log line about inspected traffic to the licence server is the best evidence, because it concerns
 * FortiAuthenticator's own path. A single datagram is not sufficient, because log lines can be forged. A line about the
 * traffic of other users remains a suspicion.
 */
function judgeLogEvidence({ firewallEvidence }: PollingReport, subject: string): readonly Finding[] {
  return firewallEvidence.map((sighting) => {
    const corroborated = sighting.ofUnit && isSufficientEvidence([sighting]);
    const weakness = sighting.ofUnit ? ONE_UNPROVEN : NOT_OF_UNIT;
    return {
      rule: 'firewall-log-shows-no-inspection',
      subject,
      claim: `${admission(sighting)} logged that it inspects this traffic${corroborated ? '' : weakness}.`,
      quote: sighting.sample,
      at: sighting.lastAt,
      expected: 'no firewall log line about inspection of this traffic',
      ...(corroborated ? { level: 'broken', witness: 'firewall' } : { level: 'warning', confidence: 'suspected' }),
      suggests: 'tls-intercepted',
      facts: factsOf(sighting.evidence),
      ...basedOn([sighting]),
    };
  });
}

function factsOf({ policy, profile, sourceAddress }: FirewallSighting['evidence']): FindingFacts {
  const matching = policy === null ? null : `policy ${policy}`;
  return known({ product: 'Fortinet FortiGate', policy: matching, profile, source: sourceAddress });
}

/**
 * Such as `fgt-1, policy 20, profile "custom-deep-inspection", source 10.0.0.5,`. The quoted line may be truncated
 * before these fields.
 */
function admission({ evidence: { device, policy, profile, sourceAddress } }: FirewallSighting): string {
  const details = [
    ...(policy === null ? [] : [`policy ${policy}`]),
    ...(profile === null ? [] : [`profile "${profile}"`]),
    ...(sourceAddress === null ? [] : [`source ${sourceAddress}`]),
  ].map((detail) => `, ${detail}`);
  return `${device ?? 'A FortiGate'}${details.join('')}${details.length === 0 ? '' : ','}`;
}
