import type { POLICY_CAUSES } from './causes.ts';
import { valueOf } from '../../core/license/resource.ts';
import { nameList } from '../../core/name-list.ts';
import { type Finding, type FindingFacts, known, note, type Told, unknown } from '../../engine/finding.ts';
import { INTERFACE_SEPARATOR } from '../../core/license/interface-name.ts';
import { capital } from '../../engine/words/claim.ts';
import { visibleText } from '../../core/visible-text.ts';
import {
  type Culprit,
  type FirewallFacts,
  type FirewallObservation,
  type FirewallPolicy,
  type Flow,
  policyText,
  type SslInspection,
} from '../../core/license/firewall.ts';

/**
 * Judges precondition `firewall-policy`: the policy that matches the appliance's connection to the licence server lets
 * it pass and inspects nothing. A firewall that cannot be asked leaves it unknown.
 *
 * @param units names of all appliances
 */
export function judgeFirewallPolicy(
  observations: readonly FirewallObservation[],
  units: readonly string[],
): readonly Finding[] {
  return observations.flatMap((observation) => {
    const { appliances } = observation;
    const isOfAll = appliances.length === 0 || units.every((unit) => appliances.includes(unit));
    return judgeOne(observation)
      .map((finding): Finding => (finding.level === 'broken' ? { ...finding, witness: 'firewall' } : finding))
      .map((finding) => (isOfAll ? finding : { ...finding, concerns: appliances }));
  });
}

function judgeOne(observation: FirewallObservation): readonly Finding[] {
  switch (observation.kind) {
    case 'failed':
      return [
        untold(observation, {
          rule: 'firewall-answers',
          claim: `${capital(observation.firewall)} did not answer the policy look-up.`,
          actual: `${observation.reason}: ${observation.message}`,
          quote: observation.message,
        }),
      ];
    case 'denied': {
      const actual = `HTTP ${String(observation.status)}: the API token may not read policies`;
      const claim = `The API token may not read the policies of ${observation.firewall}.`;
      return [untold(observation, { rule: 'firewall-accepts-token', claim, actual })];
    }
    case 'ok':
      return [...judgeMatch(observation), ...judgeFqdnObjects(observation), ...judgeSessions(observation)];
  }
}

function judgeMatch({ match, fqdnObjects, ...flow }: FirewallFacts): readonly Finding[] {
  const isUnresolved = fqdnObjects.some(({ resolves }) => !resolves);
  switch (match.kind) {
    case 'implicit-deny': {
      const { incoming, outgoing } = match;
      const between = incoming === null || outgoing === null ? '' : ` from ${incoming} to ${outgoing}`;
      const found = {
        claim: `No policy allows the connection${between}, so the implicit deny drops it.`,
        actual: `no policy matches${between}: the implicit deny`,
        culprit: culpritOf(flow, { action: 'denies', policy: null, profile: null, incoming, outgoing }),
        facts: { ...known({ incoming, outgoing }), ...factsOf(flow, null, null) },
      };
      return [missing(flow, found, isUnresolved ? FQDN_UNRESOLVED : undefined)];
    }
    case 'policy': {
      const { policy, inspection } = match;
      if (policy.action === 'deny') {
        const name = policyText(policy);
        const found = {
          claim: `${capital(name)} denies the connection.`,
          actual: `${name} denies it`,
          culprit: culpritOf(flow, { action: 'denies', policy, profile: null, incoming: null, outgoing: null }),
          facts: factsOf(flow, policy, null),
        };
        return [missing(flow, found, isUnresolved ? FQDN_UNRESOLVED : DENIED)];
      }
      return [...judgeInspection(flow, policy, inspection), ...judgeProfiles(flow, policy)];
    }
  }
}

type MissingKind = keyof (typeof POLICY_CAUSES)['policy-missing']['kinds'];

const FQDN_UNRESOLVED: MissingKind = 'fqdn-unresolved';
const DENIED: MissingKind = 'denied';

/** A policy with such an object matches nothing. Whether there is one that needs it, the match says. */
function judgeFqdnObjects({ fqdnObjects, ...flow }: FirewallFacts): readonly Finding[] {
  return fqdnObjects
    .filter(({ resolves }) => !resolves)
    .map(({ name }) =>
      note({
        rule: 'fqdn-object-resolves',
        subject: subjectOf(flow),
        claim: `The address object "${visibleText(name, 80)}" of the firewall resolves to no address.`,
        expected: 'the firewall resolves its address object for the licence server',
        actual: `address object "${name}" resolves to no address`,
        facts: factsOf(flow, null, null),
      }),
    );
}

/**
 * Whether what passes is answered. That nothing came back may have any reason behind this firewall, which is looked for
 * elsewhere; that no session is open says nothing.
 */
function judgeSessions(seen: FirewallFacts): readonly Finding[] {
  const { sessions, source } = seen;
  const told = {
    rule: 'sessions-answered',
    subject: subjectOf(seen),
    expected: 'its sessions to the licence server are answered',
    facts: factsOf(seen, null, null),
  };
  if (sessions?.seen.kind === 'denied') {
    const { message } = sessions.seen;
    const claim = 'The API token may not read the sessions of the firewall.';
    return [note({ ...told, claim, actual: `not known: ${message}`, quote: message })];
  }
  const { answered, silent } = (sessions === null ? null : valueOf(sessions.seen)) ?? { answered: 0, silent: 0 };
  if (answered + silent === 0) return [];
  const counts = `open sessions from ${source}: ${String(answered)} answered`;
  const actual = silent === 0 ? counts : `${counts}, ${String(silent)} to which nothing came back`;
  const claim =
    silent === 0
      ? `All ${String(answered)} open sessions from ${source} are answered.`
      : `${String(silent)} of ${String(answered + silent)} open sessions from ${source} got no answer.`;
  return [note({ ...told, claim, actual })];
}

function judgeInspection(flow: Asked, policy: FirewallPolicy, inspection: SslInspection): readonly Finding[] {
  const facts = factsOf(flow, policy, inspection.profile);
  const base = { rule: 'policy-leaves-tls-alone', subject: subjectOf(flow), expected: 'no SSL inspection', facts };
  if (inspection.kind === 'unreadable') {
    const actual =
      `${policyText(policy)} uses SSL profile "${inspection.profile}", which could not be read: ` +
      `${inspection.message}`;
    const claim = `The SSL profile "${inspection.profile}" of ${policyText(policy)} could not be read.`;
    return [unknown({ ...base, claim, actual, quote: inspection.message })];
  }
  const uses = `${policyText(policy)} uses SSL profile "${inspection.profile ?? ''}"`;
  switch (inspection.mode) {
    case 'none':
      return [];
    case 'certificate': {
      const actual = `${uses}: certificate inspection, whose block page answers with the firewall's own certificate`;
      const claim = `${capital(uses)}, which inspects certificates: its block page has the firewall's certificate.`;
      return [{ ...base, claim, actual, level: 'warning', suggests: 'policy-inspects-traffic' }];
    }
    case 'deep':
      return [withCulprit({ ...base, ...judgeDeep(uses, inspection) }, flow, policy)];
  }
}

/** A policy that may inspect the connection, or not, is not named as the culprit. */
function withCulprit(finding: Finding, flow: Asked, policy: FirewallPolicy): Finding {
  if (finding.level !== 'broken') return finding;
  const profile = finding.facts?.profile ?? null;
  return {
    ...finding,
    culprit: culpritOf(flow, { action: 'inspects', policy, profile, incoming: null, outgoing: null }),
  };
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

type DeepJudgement = Pick<Finding, 'claim' | 'actual' | 'level' | 'suggests' | 'confidence'>;

function judgeDeep(uses: string, inspection: Extract<SslInspection, { kind: 'known' }>): DeepJudgement {
  if (inspection.exemptedBy !== null) {
    const actual = `${uses}: deep inspection, from which ${inspection.exemptedBy} exempts the server`;
    const claim = `${capital(uses)}, which inspects TLS; ${inspection.exemptedBy} exempts the server.`;
    return { claim, actual, level: 'note', suggests: null };
  }
  if (inspection.unreadExemptions.length > 0) {
    const actual =
      `${uses}: deep inspection, and whether the server is exempt cannot be told: ` +
      `${nameList(inspection.unreadExemptions)}`;
    const claim = `${capital(uses)}, which inspects TLS; whether the server is exempt could not be read.`;
    return { claim, actual, level: 'warning', suggests: 'policy-inspects-traffic', confidence: 'suspected' };
  }
  const claim = `${capital(uses)}, which inspects TLS and replaces the certificate.`;
  return { claim, actual: `${uses}: deep inspection`, level: 'broken', suggests: 'policy-inspects-traffic' };
}

function judgeProfiles(flow: Flow, policy: FirewallPolicy): readonly Finding[] {
  const what = [...(policy.proxyMode ? ['proxy-based inspection mode'] : []), ...policy.securityProfiles];
  if (what.length === 0) return [];
  return [
    {
      rule: 'policy-applies-no-profiles',
      subject: subjectOf(flow),
      claim: `${capital(policyText(policy))} applies ${nameList(what, 4)}.`,
      expected: 'flow mode and no security profiles',
      actual: `${policyText(policy)} applies ${what.join(', ')}`,
      level: 'warning',
      suggests: 'policy-inspects-traffic',
      facts: factsOf(flow, policy, null),
    },
  ];
}

function missing(
  flow: Flow,
  found: Pick<Finding, 'claim' | 'actual' | 'culprit' | 'facts'>,
  kind: MissingKind | undefined,
): Finding {
  return {
    rule: 'policy-allows',
    subject: subjectOf(flow),
    expected: 'a policy that lets the connection pass',
    ...found,
    level: 'broken',
    suggests: 'policy-missing',
    ...(kind === undefined ? {} : { kind }),
  };
}

function untold(flow: Flow, told: Omit<Told, 'expected'>): Finding {
  const expected = 'the firewall says which policy matches';
  return unknown({ ...told, subject: subjectOf(flow), expected, facts: factsOf(flow, null, null) });
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
    // A policy that denies says nothing about how to let the connection pass.
    ...(policy?.action === 'accept' ? { nat: policy.nat === null ? null : natText(policy.nat) } : {}),
    ...(policy?.action === 'accept' ? { schedule: policy.schedule } : {}),
  });
}

function natText({ enabled, pools }: NonNullable<FirewallPolicy['nat']>): string {
  return [enabled ? 'enable' : 'disable', ...pools].join(INTERFACE_SEPARATOR);
}
