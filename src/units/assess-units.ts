import type { Config } from '../config/config.ts';
import type { Assessment } from '../core/assessment.ts';
import type { Finding } from '../core/finding.ts';
import { activationContextOf, type ActivationContext } from '../core/license/activation-context.ts';
import { judgeAppliance } from '../core/license/judge-appliance.ts';
import { judgeFirewallPolicy } from '../core/license/judge-firewall-policy.ts';
import { judgeLicenseAssignment } from '../core/license/judge-license-assignment.ts';
import { judgeTokenPool } from '../core/license/judge-token-pool.ts';
import { licensesOf } from '../core/license/licenses-of.ts';
import type { ListedUnit } from '../core/license/placement.ts';
import type { RegistrationObservation } from '../core/license/registration.ts';
import { unitOf } from '../core/license/unit.ts';
import { nameList } from '../core/name-list.ts';
import type { PreconditionId } from '../core/precondition.ts';
import type { UnitObservation, UnitsPicture } from './observe-units.ts';

/** What impact texts depend on, as far as an appliance told. */
export function activationOf({ units }: UnitsPicture): ActivationContext {
  return activationContextOf(units.flatMap(({ rest }) => (rest === null ? [] : [rest])));
}

/**
 * What the appliances, their registration and the firewall mean for their preconditions. Pure.
 * @param speaking names of the appliances whose log has arrived until now
 */
export function assessUnits(config: Config, picture: UnitsPicture, speaking: readonly string[]): readonly Assessment[] {
  return [
    assessAppliances(config, picture.units, speaking),
    assessAssignment(config, picture),
    assessTokens(picture.units),
    assessFirewall(config, picture),
  ];
}

/** Where mail servers are not configured, the appliances tell theirs. One that cannot be read may have some. */
export function withUntoldMail(probed: readonly Assessment[], { units }: UnitsPicture): readonly Assessment[] {
  const unread = units.filter(({ rest }) => rest !== null && rest.kind !== 'ok').map(({ config }) => config.name);
  if (unread.length === 0) return probed;
  const summary = `The mail servers of ${nameList(unread)} are not known: its API cannot be read`;
  return probed.map((one) => (one.id === 'mail' && one.kind === 'not-configured' ? unjudged('mail', summary) : one));
}

function assessAppliances(config: Config, units: readonly UnitObservation[], speaking: readonly string[]): Assessment {
  if (!units.some(({ config: { api } }) => api !== null))
    return notConfigured('appliance', 'No REST API of a FortiAuthenticator is configured');
  const asked = units.filter(({ rest }) => rest !== null);
  if (asked.length === 0) return unjudged('appliance', 'Not asked yet');
  const findings = asked.flatMap(({ config: unit, rest, role }) => {
    const expected = { unit, licenseServer: config.licenseServer };
    return rest === null ? [] : judgeAppliance(rest, expected, { role, logSpeaks: speaking.includes(unit.name) });
  });
  return judged('appliance', findings, `${nameList(asked.map(({ config: { name } }) => name))}: the API answers`);
}

function assessAssignment(config: Config, { units, registration }: UnitsPicture): Assessment {
  if (config.registration === null)
    return notConfigured('license-assignment', 'The registration service is not configured');
  if (registration === null || units.length === 0) {
    return unjudged(
      'license-assignment',
      units.length === 0 ? 'No appliance is configured whose licences could be looked up' : 'Not asked yet',
    );
  }
  const listed = units.map(listedUnit);
  const findings = listed.flatMap((unit) => judgeLicenseAssignment({ ...unit, listed, registration }));
  return judged(
    'license-assignment',
    findings,
    `Every licence is registered to its FortiAuthenticator${ageOf(registration)}`,
  );
}

/** For answers that stand because the service gave no newer one. */
function ageOf(registration: RegistrationObservation): string {
  const since =
    registration.kind === 'ok'
      ? registration.lookups.flatMap(({ kept }) => (kept === undefined ? [] : [kept.since]))
      : [];
  return since.length === 0
    ? ''
    : `, as the registration service said at ${new Date(Math.min(...since)).toISOString()}`;
}

function listedUnit({ config, rest, role }: UnitObservation): ListedUnit {
  const { licenses: configured } = config;
  return { unit: unitOf(config, rest, role), licenses: licensesOf(configured, rest), configured, appliance: rest };
}

function assessTokens(units: readonly UnitObservation[]): Assessment {
  if (!units.some(({ config: { api } }) => api !== null))
    return notConfigured('token-pool', 'No REST API of a FortiAuthenticator is configured');
  if (!units.some(({ rest }) => rest?.kind === 'ok'))
    return unjudged('token-pool', 'No FortiAuthenticator told its tokens');
  return judged(
    'token-pool',
    units.flatMap(({ config, rest }) => (rest === null ? [] : judgeTokenPool(rest, config))),
    'The tokens match the licence, and enough are left',
  );
}

function assessFirewall(config: Config, { firewall }: UnitsPicture): Assessment {
  if (config.firewall === null) return notConfigured('firewall-policy', 'The firewall is not configured');
  if (firewall === null) return unjudged('firewall-policy', 'Not asked yet');
  return judged(
    'firewall-policy',
    judgeFirewallPolicy(firewall),
    `The policy that matches ${config.firewall.source} inspects nothing`,
  );
}

function judged(id: PreconditionId, findings: readonly Finding[], summary: string): Assessment {
  return { id, kind: 'judged', findings, summary };
}

function unjudged(id: PreconditionId, summary: string): Assessment {
  return { id, kind: 'unjudged', findings: [], summary };
}

function notConfigured(id: PreconditionId, summary: string): Assessment {
  return { id, kind: 'not-configured', findings: [], summary };
}
