import { type Finding, note } from '../../engine/finding.ts';
import type { HaRoleFacts, HaRoleObservation } from '../../core/license/ha-role.ts';
import type { Declaration, Judgement } from '../declaration.ts';
import { judged, notConfigured, unjudged } from '../judgement.ts';
import type { UnitFacts } from '../unit-facts.ts';
import { TOKEN_POOL_CAUSES, type TokenPoolCause } from './causes.ts';
import { judgeBought } from './bought-tokens.ts';
import type { RegistrationObservation } from '../../core/license/registration.ts';
import { judgeTokenPool } from './judge.ts';
import { fortigateNotes } from './fortigate-notes.ts';
import { type Pool, poolsOf } from './pools.ts';

export const tokenPool: Declaration<'token-pool', TokenPoolCause> = {
  id: 'token-pool',
  title: 'Token pool',
  dependsOn: ['appliance'],
  explainedBy: [],
  causes: TOKEN_POOL_CAUSES,
  unknownRemedy: 'Give the user of appliances[].api the right to read tokens and licences.',
  place: { kind: 'stop', stop: 'fortiauthenticator' },
  step: 'tokens',
  from: 'units',
  sources: ['appliances', 'registration', 'firewall'],
  judge: judgeTokens,
};

function judgeTokens({ picture: { appliances: units, registration, firewall } }: UnitFacts): Judgement {
  const ofFortigates = fortigateNotes(firewall);
  const counted = units.filter(({ config: { api } }) => api === null).flatMap(({ role }) => snmpCount(role) ?? []);
  if (!units.some(({ config: { api } }) => api !== null)) {
    if (ofFortigates.length > 0) return judged(ofFortigates, 'The tokens of the FortiGate are counted');
    return notConfigured(['No REST API of a FortiAuthenticator is configured', ...counted.map(countText)].join('; '));
  }
  if (!units.some(({ rest }) => rest?.kind === 'ok')) return unjudged('No FortiAuthenticator told its tokens');
  return judged(
    [...poolsOf(units).flatMap((pool) => judgePool(pool, registration)), ...counted.map(countNote), ...ofFortigates],
    'The tokens match the licence, and enough are left',
  );
}

function judgePool(pool: Pool, registration: RegistrationObservation | null): readonly Finding<TokenPoolCause>[] {
  const { observation } = pool;
  const findings = [
    ...judgeTokenPool(observation, pool),
    ...(observation.kind === 'ok' ? judgeBought(observation, registration, pool.certificates) : []),
  ];
  return pool.members.length === 1 ? findings : findings.map((finding) => ({ ...finding, concerns: pool.members }));
}

interface SnmpCount {
  readonly appliance: string;
  readonly tokens: NonNullable<HaRoleFacts['tokens']>;
}

function snmpCount(role: HaRoleObservation | null): SnmpCount | null {
  return role?.kind !== 'ok' || role.tokens === null ? null : { appliance: role.appliance, tokens: role.tokens };
}

function countText({ appliance, tokens: { count, remaining } }: SnmpCount): string {
  return `${appliance} counts ${String(count)} FortiTokens of any kind over SNMP, and ${String(remaining)} remaining`;
}

function countNote(counted: SnmpCount): Finding<never> {
  const { appliance } = counted;
  const expected = 'the count of FortiToken Mobile tokens over the REST API';
  return note({
    rule: 'tokens-counted',
    subject: appliance,
    claim: `${countText(counted)}.`,
    expected,
    actual: countText(counted),
    facts: { appliance },
  });
}
