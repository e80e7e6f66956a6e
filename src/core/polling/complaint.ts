import type { Finding } from '../finding.ts';
import { instantText } from '../instant-text.ts';
import type { PollingReport } from './report.ts';

/** FortiAuthenticator's own words for a certificate that it does not take, by the causes that the log signatures give. */
const REFUSES_CERTIFICATE: readonly string[] = ['tls-intercepted', 'tls-interception-suspected', 'certificate-broken'];

/**
 * A certificate whose authority is not known, and FortiAuthenticator refuses one at the same time: by itself either leaves the
 * question open. Together they are a suspicion that somebody must act on; a change at the vendor that this FortiAuthenticator does
 * not know yet looks the same, so that nothing is confirmed.
 *
 * @param findings on the certificate of the licence server
 */
export function judgeComplaint(report: PollingReport, findings: readonly Finding[], subject: string): readonly Finding[] {
  const open = findings.find((finding) => finding.subject === subject && isOpenWarning(finding));
  if (open === undefined) return [];
  return report.appliances.flatMap(({ name, errors }) => {
    const refused = errors.find(({ cause, severity }) => severity === 'critical' && cause !== null && REFUSES_CERTIFICATE.includes(cause));
    if (refused === undefined) return [];
    return [
      {
        rule: 'appliance-takes-the-certificate',
        subject,
        expected: `No TLS error in the log of ${name} while the authority is not known`,
        actual: `${name} at ${instantText(refused.lastAt)}: ${refused.sample}`,
        level: 'broken',
        suggests: 'tls-interception-suspected',
        confidence: 'suspected',
        facts: { ...open.facts, appliance: name },
        advice: ADVICE,
      },
    ];
  });
}

function isOpenWarning({ level, suggests, confidence }: Finding): boolean {
  return level === 'warning' && confidence === 'suspected' && (suggests === 'vendor-ca-changed' || suggests === 'certificate-broken');
}

const ADVICE: NonNullable<Finding['advice']> = {
  summary: '{judgement}; and {appliance} reports TLS errors.',
  remedy: [
    'Compare from another network: if the issuer is the same there, Fortinet has changed its certificate, and {appliance} may need newer firmware: ask TAC.',
    'If the certificate is another one there, a device on the way inspects TLS: exempt the traffic of FortiAuthenticator ({source}) to {host}, TCP {port}, from it.',
    'Repeat "ftm-watch check" from the same network, then retry the activation on FortiAuthenticator.',
  ],
};
