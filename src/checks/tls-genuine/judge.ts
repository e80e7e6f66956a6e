import { type Assessment, withFindings, type Finding, isFault, known, type FindingFacts } from '../../engine/model.ts';
import { authority } from '../../core/addresses.ts';
import { type FirewallObservation, leavesTlsAlone, policyText } from '../../core/license/firewall.ts';
import { nameList } from '../../core/phrases.ts';
import { FORTIGATE_SERIAL } from '../../engine/words.ts';
import { asOthersSeeIt, unreadablePeers } from '../peer-views.ts';
import type { Declaration, Everything } from '../check.ts';
import type { PathObservation } from '../../core/round.ts';
import { TLS_CAUSES, type TlsCause, REPEAT } from './causes.ts';
import { judgeOlderTls } from './judge-older-tls.ts';
import { refusedBaselineFindings } from './chain-case.ts';
import type { PollingCause } from '../polling/causes.ts';
import { utcText } from '../../core/time-text.ts';
import { FLAW_RULE, OLDER_TLS_RULE } from './expectations.ts';
import { isCorroborated, ONE_DATAGRAM, type Complaint, type FirewallSighting } from '../../core/polling/state.ts';
import type { AppliancePolling, PollingError, PollingReport } from '../../core/polling/report.ts';

/** Whether FortiAuthenticator suffers from it cannot be seen from here. */
const WEIGHED: readonly string[] = [FLAW_RULE, OLDER_TLS_RULE];

/**
 * FortiAuthenticator's own words for a certificate that it does not take, by the causes that the log signatures give.
 */
const REFUSED_CERTIFICATE: readonly TlsCause[] = [
  'tls-intercepted',
  'tls-interception-suspected',
  'certificate-broken',
];
/** And for any TLS connection that did not come about. */
const FAILED_CONNECTION: readonly (TlsCause | PollingCause)[] = [...REFUSED_CERTIFICATE, 'polling-failing'];

/** One line is enough to have a closer look. */
export function complainsOfConnections({ appliances }: PollingReport): boolean {
  return appliances.some(({ errors }) => errorsOf(errors, FAILED_CONNECTION).length > 0);
}

/** Surely enough to raise the severity of what this machine sees of its connections. */
function complainsSurely(report: PollingReport): boolean {
  return complaintsOf(report, FAILED_CONNECTION).length > 0;
}

/** FortiAuthenticator writes to its log, and nothing in it is about FortiToken Mobile trouble. */
export function seemsUnaffected(report: PollingReport): boolean {
  return speaks(report, ({ errors }) => errors.length === 0);
}

/**
 * The findings on TLS, together with what FortiAuthenticator's own log says. It decides how grave those are whose
 * effect on FortiAuthenticator cannot be seen from here: it complains, or it writes and does not. Only what is
 * corroborated raises anything.
 *
 * @param subject the licence server
 */
export function withComplaints(
  findings: readonly Finding[],
  report: PollingReport,
  subject: string,
): readonly Finding[] {
  const isComplained = complainsSurely(report);
  const isContent = speaks(report, ({ errors }) => !isCorroborated(errors));
  const weighed = findings.map((finding): Finding => {
    if (!WEIGHED.includes(finding.rule)) return finding;
    if (isComplained && finding.level === 'warning') return { ...finding, level: 'broken' };
    return isContent && finding.level === 'broken' ? { ...finding, level: 'warning' } : finding;
  });
  return [...weighed, ...suspicions(weighed, report, subject)];
}

/**
 * A certificate whose authority is not known, and FortiAuthenticator refuses one at the same time: by itself either
 * leaves the question open. Together they are a suspicion that somebody must act on; a change at the vendor that this
 * FortiAuthenticator does not know yet looks the same, so that nothing is confirmed.
 */
function suspicions(findings: readonly Finding[], report: PollingReport, subject: string): readonly Finding[] {
  const open = findings.find((finding) => finding.subject === subject && isOpenWarning(finding));
  if (open === undefined) return [];
  return complaintsOf(report, REFUSED_CERTIFICATE).map(({ appliance, error }) => ({
    rule: 'appliance-takes-the-certificate',
    subject,
    claim: `${appliance} logged a TLS error at ${utcText(error.lastAt)}, while the authority is not known.`,
    quote: error.sample,
    at: error.lastAt,
    expected: `No TLS error in the log of ${appliance} while the authority is not known`,
    level: 'broken',
    suggests: 'tls-interception-suspected',
    confidence: 'suspected',
    facts: { ...open.facts, appliance },
    advice: ADVICE,
  }));
}

function isOpenWarning({ level, suggests, confidence }: Finding): boolean {
  return (
    level === 'warning' &&
    confidence === 'suspected' &&
    (suggests === 'vendor-ca-changed' || suggests === 'certificate-broken')
  );
}

/** Of each appliance that complains so surely that it may raise a severity, the worst and latest error. */
function complaintsOf(
  { appliances }: PollingReport,
  causes: readonly string[],
): readonly { readonly appliance: string; readonly error: PollingError }[] {
  return appliances.flatMap(({ name, errors }) => {
    const complaints = errorsOf(errors, causes);
    const [error] = complaints;
    return error === undefined || !isCorroborated(complaints) ? [] : [{ appliance: name, error }];
  });
}

function errorsOf(errors: readonly PollingError[], causes: readonly string[]): readonly PollingError[] {
  return errors.filter(({ cause, severity }) => severity === 'critical' && cause !== null && causes.includes(cause));
}

function speaks({ appliances }: PollingReport, isFine: (appliance: AppliancePolling) => boolean): boolean {
  const speaking = appliances.filter(({ lastLineAt, silent }) => lastLineAt !== null && !silent);
  return speaking.length > 0 && speaking.every(isFine);
}

const ADVICE: NonNullable<Finding['advice']> = {
  summary: '{judgement}; and {appliance} reports TLS errors.',
  remedy: [
    'Compare from another network: if the issuer is the same there, Fortinet has changed its certificate, and ' +
      '{appliance} may need newer firmware: ask TAC.',
    'If the certificate is another one there, a device on the way inspects TLS: exempt the traffic of ' +
      'FortiAuthenticator ({source}) to {host}, TCP {port}, from it.',
    REPEAT,
  ],
};

export const tlsGenuine: Declaration<'tls-genuine', TlsCause> = {
  id: 'tls-genuine',
  title: 'Genuine TLS',
  dependsOn: [{ kind: 'needs', by: 'reachability' }],
  causes: TLS_CAUSES,
  unknownRemedy:
    'Make known what the certificate of the licence server is judged by: "trust.caFiles", "trust.pins", or a ' +
    'second look from another network.',
  onPath: true,
  place: { kind: 'stop', stop: 'firewall' },
  step: 'tls',
  adjust: (own, everything) => {
    const { peers, firewall } = everything.picture;
    const told = behindFirewall(unreadablePeers(withLogEvidence(own, everything), peers), firewall);
    return asOthersSeeIt(told, tlsGenuine, everything);
  },
  from: 'target',
  judge: ({ path, tls, knowledge, surroundings }) =>
    tls.worst === null
      ? null
      : [
          ...tls.worst.findings,
          ...judgeOlderTls(path, tls, knowledge, surroundings),
          ...refusedBaselineFindings(path.subject, knowledge.refusedBaseline),
        ].map((finding) => throughProxy(finding, path)),
  summary: ({ tls }) => tls.worst?.summary ?? 'No connection to judge',
};

/** What happens inside a tunnel is the matter of the proxy first. */
function throughProxy(finding: Finding, { endpoints }: PathObservation): Finding {
  const proxy = endpoints.find((endpoint) => endpoint.proxy !== null)?.proxy ?? null;
  return proxy === null ? finding : { ...finding, facts: { ...finding.facts, proxy } };
}

/**
 * Where the firewall says that it leaves this traffic alone, and the certificate comes from another unit, that one has to
 * be looked for behind it: a policy of its own on this firewall would change nothing.
 */
function behindFirewall(own: Assessment, observations: readonly FirewallObservation[]): Assessment {
  const asked = observations.flatMap((seen) => (seen.kind === 'ok' ? [seen] : []));
  const [first] = asked;
  const isClean = asked.length === observations.length && asked.every(({ match }) => leavesTlsAlone(match));
  if (first === undefined || !isClean) return own;
  const serials = asked.map(({ serial }) => serial);
  const facts = known({
    firewall: nameList([...new Set(asked.map(({ firewall }) => firewall))]),
    policy: first.match.kind === 'policy' ? policyText(first.match.policy) : null,
    source: first.source,
  });
  const isOther = ({ facts: { issuer = '' } = {} }: Finding): boolean =>
    FORTIGATE_SERIAL.test(issuer) && !serials.includes(issuer);
  const findings = own.findings.map((finding) =>
    isFault(finding) && INTERCEPTIONS.includes(finding.suggests ?? '') && isOther(finding)
      ? { ...finding, kind: 'behind-firewall', facts: { ...finding.facts, ...facts } }
      : finding,
  );
  return { ...own, findings };
}

const INTERCEPTIONS: readonly string[] = ['tls-intercepted', 'tls-interception-suspected'] satisfies TlsCause[];

/**
 * Adds what the logs say: a firewall's own, and FortiAuthenticator's, which see the path of FortiAuthenticator; and
 * weighs what FortiAuthenticator may not suffer from.
 */
function withLogEvidence(own: Assessment, { log, licenseServer }: Everything): Assessment {
  if (log === null) return own;
  const subject = authority(licenseServer);
  const weighed = { ...own, findings: withComplaints(own.findings, log.report, subject) };
  return withFindings(weighed, judgeLogEvidence(log.report, subject));
}

/**
 * A FortiGate that logs its own inspection of the licence server's traffic is the best witness there is: it sees the
 * path of FortiAuthenticator, which the probes of this machine may not share. Its line is forged as easily as any.
 */
export function judgeLogEvidence({ firewallEvidence }: PollingReport, subject: string): readonly Finding[] {
  const corroborated = isCorroborated(firewallEvidence.map(complaintOf));
  return firewallEvidence.map((sighting) => ({
    rule: 'firewall-log-shows-no-inspection',
    subject,
    claim: `${admission(sighting)}, logged that it inspects this traffic${corroborated ? '' : ONE_DATAGRAM}.`,
    quote: sighting.sample,
    at: sighting.lastAt,
    expected: 'no line in the log of the firewall that says it inspects this traffic',
    ...(corroborated ? { level: 'broken', witness: 'firewall' } : { level: 'warning', confidence: 'suspected' }),
    suggests: 'tls-intercepted',
    facts: factsOf(sighting),
  }));
}

function complaintOf({ firstAt, lastAt, reliableAt = null }: FirewallSighting): Complaint {
  return { moments: [firstAt, lastAt], reliableAt };
}

function factsOf({ evidence: { policy, profile, sourceAddress } }: FirewallSighting): FindingFacts {
  const matching = policy === null ? null : `policy ${policy}`;
  return known({ product: 'Fortinet FortiGate', policy: matching, profile, source: sourceAddress });
}

/**
 * As in `fgt-1, policy 20, profile "custom-deep-inspection", source 10.0.0.5`: a sample may be cut before it says so.
 */
function admission({ evidence: { device, policy, profile, sourceAddress } }: FirewallSighting): string {
  return [
    device ?? 'A FortiGate',
    ...(policy === null ? [] : [`policy ${policy}`]),
    ...(profile === null ? [] : [`profile "${profile}"`]),
    ...(sourceAddress === null ? [] : [`source ${sourceAddress}`]),
  ].join(', ');
}
