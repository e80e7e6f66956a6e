import type { PollingCause } from '../polling/causes.ts';
import { REPEAT, type TlsCause } from './causes.ts';
import type { Finding } from '../../engine/finding.ts';
import { instantText, utcText } from '../../core/instant-text.ts';
import { FLAW_RULE, OLDER_TLS_RULE } from './expectations.ts';
import { isCorroborated } from '../../core/polling/corroboration.ts';
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
    actual: `${appliance} at ${instantText(error.lastAt)}: ${error.sample}`,
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
