import { nameList, visibleText } from '../../core/visible-text.ts';
import {
  suggestsOnly,
  isFault,
  type Finding,
  type FindingFacts,
  known,
  note,
  type FindingText,
  unknown,
  type Confidence,
  broken,
  warning,
} from '../../engine/model.ts';
import type { Declaration, Facts, Judgement } from '../check.ts';
import { judged, notConfigured, unjudged } from '../judgement.ts';
import { type MissingKind, POLICY_CAUSES } from './causes.ts';
import {
  INTERFACE_SEPARATOR,
  type Culprit,
  type FirewallFacts,
  type FirewallObservation,
  type FirewallPolicy,
  type PolicyMatch,
  type Flow,
  policyText,
  type SslInspection,
} from '../../core/firewall.ts';
import { capital, FORTIGATE } from '../../engine/words.ts';
import type { LicenseServerCause } from '../license-server/causes.ts';
import {
  affectsUnrelatedHosts,
  type ReachabilityCause,
  type ShutPortKind,
  type SILENT_PAST_POLICY,
} from '../reachability/causes.ts';

type PolicyCause = keyof typeof POLICY_CAUSES;

/** @param units names of all appliances */
function judgeFirewallPolicy(
  observations: readonly FirewallObservation[],
  units: readonly string[],
): readonly Finding[] {
  return observations.flatMap((observation) => {
    const { appliances } = observation;
    const isOfAll = appliances.length === 0 || units.every((unit) => appliances.includes(unit));
    return judgeOne(observation)
      .map((finding): Finding => (isFault(finding) ? { ...finding, describesPolicy: true } : finding))
      .map((finding): Finding => (finding.level === 'broken' ? { ...finding, witness: 'firewall' } : finding))
      .map((finding) => (isOfAll ? finding : { ...finding, concerns: appliances }));
  });
}

function judgeOne(observation: FirewallObservation): readonly Finding[] {
  switch (observation.kind) {
    case 'failed': {
      const { firewall, reason, message, certificate } = observation;
      if (certificate !== undefined) {
        const claim = `The certificate of ${firewall} is not ${certificate === 'untrusted' ? 'trusted' : 'valid'}.`;
        const told = { rule: 'firewall-certificate-accepted', claim, quote: message };
        return [policyUnknown(observation, told, CERTIFICATE_REMEDIES[certificate])];
      }
      const claim =
        reason === 'rejected'
          ? `${capital(firewall)} rejected the policy lookup.`
          : `${capital(firewall)} did not answer the policy lookup (${reason}).`;
      return [policyUnknown(observation, { rule: 'firewall-answers', claim, quote: message }, ANSWERS_AGAIN)];
    }
    case 'denied': {
      const { firewall, status } = observation;
      const [claim, remedy] =
        status === 403
          ? [`The API token is not permitted to read the policies of ${firewall} (HTTP 403).`, PERMIT]
          : [`${capital(firewall)} does not accept the API token (HTTP ${String(status)}).`, RENEW];
      return [policyUnknown(observation, { rule: 'firewall-accepts-token', claim }, remedy)];
    }
    case 'ok':
      return [...judgeMatch(observation), ...judgeFqdnObjects(observation)];
  }
}

function judgeMatch({ match, fqdnObjects, ...flow }: FirewallFacts): readonly Finding[] {
  if (match.kind === 'policy' && match.policy.action !== 'deny') {
    const { policy, inspection } = match;
    return [...judgeInspection(flow, policy, inspection), ...judgeProfiles(flow, policy, inspection)];
  }
  const isUnresolved = fqdnObjects.some(({ resolves }) => !resolves);
  return [missing(flow, match, isUnresolved)];
}

function missing(flow: Asked, match: PolicyMatch, isUnresolved: boolean): Finding {
  const policy = match.kind === 'policy' ? match.policy : null;
  const { incoming, outgoing } = match.kind === 'policy' ? NO_INTERFACES : match;
  const between = incoming === null || outgoing === null ? '' : ` from ${incoming} to ${outgoing}`;
  const kind: MissingKind | null = isUnresolved ? 'fqdn-unresolved' : policy === null ? null : 'denied';
  return broken('policy-missing', {
    rule: 'policy-allows',
    subject: subjectOf(flow),
    claim:
      policy === null
        ? `No policy allows the connection${between}, so the implicit deny policy drops it.`
        : `${capital(policyText(policy))} denies the connection.`,
    expected: 'a policy that accepts the connection',
    culprit: culpritOf(flow, { action: 'denies', policy, profile: null, incoming, outgoing }),
    facts: { ...known({ incoming, outgoing }), ...factsOf(flow, policy, null) },
    ...(kind === null ? {} : { kind }),
  });
}

/** The lookup returns interfaces only if no policy matches. */
const NO_INTERFACES = { incoming: null, outgoing: null };

/**
 * A policy that uses an address object without addresses matches no traffic. The policy lookup shows whether a policy
 * depends on the object.
 */
function judgeFqdnObjects({ fqdnObjects, ...flow }: FirewallFacts): readonly Finding[] {
  return fqdnObjects
    .filter(({ resolves }) => !resolves)
    .map(({ name }) =>
      note({
        rule: 'fqdn-object-resolves',
        subject: subjectOf(flow),
        claim: `The firewall cannot resolve its address object "${visibleText(name, 80)}".`,
        expected: 'an address object for the licence server that resolves',
        facts: factsOf(flow, null, null),
      }),
    );
}

const INSPECTS: PolicyCause = 'policy-inspects-traffic';

function judgeInspection(flow: Asked, policy: FirewallPolicy, inspection: SslInspection): readonly Finding[] {
  const facts = factsOf(flow, policy, inspection.profile);
  const base = { rule: 'policy-leaves-tls-alone', subject: subjectOf(flow), expected: 'no SSL inspection', facts };
  if (inspection.kind === 'unreadable') {
    const claim = `The SSL profile "${inspection.profile}" of ${policyText(policy)} could not be read.`;
    return [unknown({ ...base, claim, quote: inspection.message })];
  }
  const uses = `${policyText(policy)} uses SSL profile "${inspection.profile ?? ''}"`;
  switch (inspection.mode) {
    case 'none':
      return [];
    case 'certificate': {
      const claim = `${capital(uses)}, which inspects certificates, so block pages use the firewall's certificate.`;
      return [warning(INSPECTS, { ...base, claim })];
    }
    case 'deep': {
      const { profile } = inspection;
      const culprit = culpritOf(flow, { action: 'inspects', policy, profile, ...NO_INTERFACES });
      return [judgeDeep(uses, inspection, base, culprit)];
    }
  }
}

type Asked = Flow & Pick<FirewallFacts, 'serial'>;

function culpritOf(
  { firewall, firewallHost, serial }: Asked,
  { policy, ...rest }: Omit<Culprit, 'firewall' | 'firewallHost' | 'serial'>,
): Culprit {
  return {
    firewall,
    firewallHost,
    serial,
    ...rest,
    policy: policy === null ? null : { id: policy.id, name: policy.name },
  };
}

/** Whether FortiAuthenticator sends the server name is not documented. */
const NAME_NEEDED =
  'The exemption requires the server name in the TLS hello or in the certificate. To be sure, exempt the source ' +
  'address of FortiAuthenticator, or create a separate policy. "ftm-watch capture" shows whether FortiAuthenticator ' +
  'sends the name';

function judgeDeep(
  uses: string,
  inspection: Extract<SslInspection, { kind: 'known' }>,
  base: Pick<Finding, 'rule' | 'subject' | 'expected' | 'facts'>,
  culprit: Culprit,
): Finding {
  if (inspection.exemptedBy !== null) {
    const byName = inspection.exemptsByName === true;
    const claim =
      `${capital(uses)}, which inspects TLS, but ${inspection.exemptedBy} exempts the server` +
      `${byName ? ' by name only' : ''}.`;
    return note({ ...base, claim, ...(byName ? { actual: NAME_NEEDED } : {}) });
  }
  if (inspection.unreadExemptions.length > 0) {
    const actual =
      `${uses}, which inspects TLS. The following exemptions could not be read: ` +
      `${nameList(inspection.unreadExemptions)}`;
    const claim = `${capital(uses)}, which inspects TLS and whose exemptions could not be read.`;
    return warning(INSPECTS, { ...base, claim, actual, confidence: 'suspected' });
  }
  const claim = `${capital(uses)}, which inspects TLS and replaces the certificate.`;
  return broken(INSPECTS, { ...base, claim, culprit });
}

/** Settings whose profiles evaluate only decrypted content. The DNS filter evaluates only DNS. */
const OF_CONTENT: readonly string[] = [
  'av-profile',
  'dnsfilter-profile',
  'emailfilter-profile',
  'dlp-profile',
  'dlp-sensor',
  'file-filter-profile',
  'videofilter-profile',
  'waf-profile',
];

/** Without deep inspection, a profile for decrypted content has no effect on the connection. */
function judgeProfiles(flow: Flow, policy: FirewallPolicy, inspection: SslInspection): readonly Finding[] {
  const needsContent = (profile: string): boolean => OF_CONTENT.some((setting) => profile.startsWith(`${setting} `));
  const idle = mayDecrypt(inspection) ? [] : policy.securityProfiles.filter(needsContent);
  const active = policy.securityProfiles.filter((profile) => !idle.includes(profile));
  const what = [...(policy.proxyMode ? ['proxy-based inspection mode'] : []), ...active];
  const base = {
    rule: 'policy-applies-no-profiles',
    subject: subjectOf(flow),
    expected: 'flow mode and no security profiles',
    facts: factsOf(flow, policy, what.length === 0 ? null : nameList(what, 4)),
  };
  const applies = (names: readonly string[]): string => `${capital(policyText(policy))} applies ${nameList(names, 4)}`;
  return [
    ...(what.length === 0 ? [] : [warning(INSPECTS, { ...base, claim: `${applies(what)}.` })]),
    ...(idle.length === 0
      ? []
      : [note({ ...base, claim: `${applies(idle)}, which has no effect on a connection that is not decrypted.` })]),
  ];
}

function mayDecrypt(inspection: SslInspection): boolean {
  return inspection.kind === 'unreadable' || (inspection.mode === 'deep' && inspection.exemptedBy === null);
}

const PERMIT =
  'Give the administrator profile of the token in "firewall[].tokenFile" read access to the firewall policies and ' +
  'addresses, the security profiles and the routes.';
const RENEW =
  'Generate a new API token on the FortiGate (System > Administrators), and save it in the file in ' +
  '"firewall[].tokenFile". The trusted hosts of this administrator must include the address of ftm-watch.';
const CERTIFICATE_REMEDIES: Readonly<Record<'untrusted' | 'invalid', string>> = {
  untrusted:
    'Set "firewall[].caFile" to the certificate of the authority that issued the certificate of the FortiGate. For a ' +
    'self-signed certificate, use the certificate itself.',
  invalid:
    'On the FortiGate, use a certificate that is valid now and contains the host in "firewall[].url". Or set ' +
    '"firewall[].caFile" to the certificate itself. Its name is then not checked.',
};
const ANSWERS_AGAIN =
  'Check "firewall[].url", and that the interface allows HTTPS from ftm-watch. The evidence contains the response.';

function policyUnknown(flow: Flow, told: Omit<FindingText, 'expected'>, remedy: string): Finding {
  const expected = 'an answer from the firewall about the matching policy';
  const advice = { summary: told.claim, remedy: [remedy] };
  return unknown({ ...told, subject: subjectOf(flow), expected, facts: factsOf(flow, null, null), advice });
}

function subjectOf(flow: Flow): string {
  return `${flow.source} to ${flow.destination}`;
}

function factsOf(
  { source, firewall, vdom }: Flow,
  policy: FirewallPolicy | null,
  profile: string | null,
): FindingFacts {
  return known({
    source,
    firewall,
    policy: policy === null ? null : policyText(policy),
    profile,
    vdom,
    incoming: policy?.incoming.join(INTERFACE_SEPARATOR),
    outgoing: policy?.outgoing.join(INTERFACE_SEPARATOR),
    // Settings are copied only from a policy that accepts the connection.
    ...(policy?.action === 'accept' ? { nat: policy.nat === null ? null : natText(policy.nat) } : {}),
    ...(policy?.action === 'accept' ? { schedule: policy.schedule } : {}),
  });
}

function natText({ enabled, pools }: NonNullable<FirewallPolicy['nat']>): string {
  return [enabled ? 'enable' : 'disable', ...pools].join(INTERFACE_SEPARATOR);
}

/** Rules that fail if no policy was checked, or if no policy accepts the connection. */
const NOT_ACCEPTED: readonly string[] = [
  'policy-allows',
  'firewall-answers',
  'firewall-certificate-accepted',
  'firewall-accepts-token',
];

/**
 * A closed port can be caused by a firewall or by the server. A policy that denies the connection proves that the
 * firewall is the cause. If a policy accepts the connection, the server is only suspected, because there may be another
 * firewall on the path. A policy that denies only one appliance does not explain why the port is closed for this
 * machine.
 */
export function refineShutPort(own: readonly Finding[]): (finding: Finding) => Finding {
  const refinement = refinementOf(own);
  return (finding) =>
    isUnexplainedShutPort(finding) && mayBe(finding, refinement) ? { ...finding, ...refinement } : finding;
}

/** Returns whether a firewall policy could have caused the fault. If so, the firewall is queried to confirm it. */
export function mayBePolicy(finding: Finding): boolean {
  return isUnexplainedShutPort(finding) || mayBeInspected(finding);
}

/** Faults that an inspecting policy explains, unless the certificate belongs to another vendor's product. */
const INSPECTED: readonly (string | null)[] = ['tls-intercepted', 'tls-interception-suspected', 'tls-blocked'];

function mayBeInspected({ suggests, level, facts }: Finding): boolean {
  const isOfFortiGate = facts?.product === undefined || facts.product === FORTIGATE;
  return level === 'broken' && INSPECTED.includes(suggests) && facts?.host === undefined && isOfFortiGate;
}

interface Refinement {
  readonly suggests: ReachabilityCause | LicenseServerCause;
  readonly kind: ShutPortKind | keyof typeof SILENT_PAST_POLICY;
  readonly confidence: Confidence;
}

function refinementOf(findings: readonly Finding[]): Refinement | null {
  const denied = findings.filter(({ suggests, level }) => suggests === 'policy-missing' && level === 'broken');
  if (denied.some(({ concerns }) => concerns === undefined))
    return { suggests: 'egress-blocked', kind: 'denied-by-policy', confidence: 'confirmed' };
  if (findings.some(({ rule }) => NOT_ACCEPTED.includes(rule))) return null;
  return { suggests: 'license-server-down', kind: 'silent-past-policy', confidence: 'suspected' };
}

function mayBe(finding: Finding, refinement: Refinement | null): boolean {
  return refinement?.suggests !== 'license-server-down' || !affectsUnrelatedHosts(finding);
}

/** Returns false if a nearby device is known to have caused the fault. */
function isUnexplainedShutPort({ rule, suggests, level, kind, facts }: Finding): boolean {
  return (
    rule === 'port-open' &&
    suggests === 'egress-blocked' &&
    level === 'broken' &&
    facts?.host === undefined &&
    facts?.proxy === undefined &&
    (kind === undefined || affectsUnrelatedHosts({ kind }))
  );
}

export const firewallPolicy: Declaration<'firewall-policy', PolicyCause> = {
  id: 'firewall-policy',
  title: 'Firewall policy',
  dependsOn: [
    { kind: 'explained', by: 'tls-genuine', when: suggestsOnly('policy-inspects-traffic'), evidence: true },
    { kind: 'explained', by: 'reachability', when: suggestsOnly('policy-missing'), evidence: true },
  ],
  countsForReady: true,
  causes: POLICY_CAUSES,
  unknownRemedy:
    'Give the administrator whose token is in "firewall[].tokenFile" read access to the firewall policies, and ' +
    'allow the address of ftm-watch (trusted hosts).',
  place: { kind: 'stop', stop: 'firewall' },
  step: 'tls',
  causeSteps: { 'policy-missing': 'connect' },
  sources: ['firewall'],
  judge: judgePolicy,
};

/** Returns the findings that are at least as recent as the fault. Null if no policy was evaluated. */
export function decidingPolicies({ config, picture, deciding }: Facts): readonly Finding[] | null {
  const [known, recent] = [picture, deciding ?? picture].map((one) => judgePolicy({ config, picture: one }));
  return known?.kind === 'judged' && recent?.kind === 'judged' ? recent.findings : null;
}

function judgePolicy({ config, picture: { firewall } }: Pick<Facts, 'config' | 'picture'>): Judgement {
  if (config.firewall.length === 0) return notConfigured('No firewall is configured');
  if (firewall.length === 0) return unjudged('Not queried yet');
  const units = config.appliances.map(({ name }) => name);
  const sources = [...new Set(firewall.map(({ source }) => source))];
  const holds =
    sources.length === 1
      ? `The policy that matches ${nameList(sources)} does not inspect traffic`
      : `The policies that match ${nameList(sources)} do not inspect traffic`;
  return judged(judgeFirewallPolicy(firewall, units), holds);
}
