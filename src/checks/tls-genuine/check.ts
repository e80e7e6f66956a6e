import { type Assessment, withFindings } from '../../engine/assessment.ts';
import { authority } from '../../core/authority.ts';
import { type FirewallObservation, leavesTlsAlone, policyText } from '../../core/license/firewall.ts';
import { nameList } from '../../core/name-list.ts';
import { type Finding, isFault, known } from '../../engine/finding.ts';
import { FORTIGATE_SERIAL } from '../../engine/words/culprit.ts';
import { unreadablePeers } from '../peer-views.ts';
import type { Declaration } from '../declaration.ts';
import type { PathObservation } from '../../core/round.ts';
import type { LogFacts } from '../log-facts.ts';
import { TLS_CAUSES, type TlsCause } from './causes.ts';
import { withComplaints } from './complaint.ts';
import { judgeLogEvidence } from './judge-log-evidence.ts';
import { judgeOlderTls } from './judge-older-tls.ts';
import { refusedBaselineFindings } from './unconfirmed.ts';

export const tlsGenuine: Declaration<'tls-genuine', TlsCause> = {
  id: 'tls-genuine',
  title: 'Genuine TLS',
  dependsOn: ['reachability'],
  explainedBy: [],
  causes: TLS_CAUSES,
  unknownRemedy:
    'Make known what the certificate of the licence server is judged by: "trust.caFiles", "trust.pins", or a ' +
    'second look from another network.',
  onPath: true,
  place: { kind: 'stop', stop: 'firewall' },
  step: 'tls',
  withUnits: (own, { peers, firewall }) => behindFirewall(unreadablePeers(own, peers), firewall),
  withLog: withLogEvidence,
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
function withLogEvidence(
  own: Assessment,
  { report, config }: Extract<LogFacts, { readonly kind: 'heard' }>,
): Assessment {
  const subject = authority(config.licenseServer);
  const weighed = { ...own, findings: withComplaints(own.findings, report, subject) };
  return withFindings(weighed, judgeLogEvidence(report, subject));
}
