import { type Finding, note, unknown, type FindingText, broken, warning } from '../../engine/model.ts';
import {
  type ApplianceFacts,
  type ApplianceObservation,
  type LicensedTokens,
  type TokenCounts,
  holdsTokensOf,
  sameSerial,
} from '../../core/license/appliance.ts';
import { type Member, membersOf } from '../../core/license/cluster.ts';
import { type Declaration, type Judgement, type Facts, withAppliance } from '../check.ts';
import { judged, notConfigured, unjudged } from '../judgement.ts';
import { TOKEN_POOL_CAUSES } from './causes.ts';
import type { RegistrationObservation } from '../../core/license/registration.ts';
import { capital } from '../../engine/words.ts';
import { nameList } from '../../core/visible-text.ts';
import { valueOf, type Resource } from '../../core/observation.ts';
import type { WatchedConfig } from '../../config/schema/watched.ts';
import type { UnitObservation } from '../../connectors/picture.ts';
import type { Millis } from '../../core/clock.ts';
import { spanText } from '../../core/time-text.ts';

type TokenPoolCause = keyof typeof TOKEN_POOL_CAUSES;

/** If the appliance's API cannot be read, the check `appliance` reports the reason. */
function judgePool(pool: Pool, registration: RegistrationObservation | null): readonly Finding<TokenPoolCause>[] {
  const { observation, tokensLow, licenses, certificates } = pool;
  if (observation.kind !== 'ok') {
    const { appliance } = observation;
    const claim = 'The token status is unknown, because the API cannot be read.';
    return [
      unknown({ rule: 'tokens-readable', subject: appliance, claim, expected: TOKEN_LIST, facts: { appliance } }),
    ];
  }
  const licensed = valueOf(observation.licensed);
  const counted = valueOf(observation.tokens);
  const supply = supplyOf(licensed, counted);
  return [
    ...judgeReading(observation, 'token-licence-readable', TOKEN_COUNT, observation.licensed),
    ...judgeReading(observation, 'tokens-readable', TOKEN_LIST, observation.tokens),
    ...judgeMismatch(observation, licensed, counted),
    ...(supply === null ? judgeUnclear(observation, counted, tokensLow) : judgeSupply(observation, supply, tokensLow)),
    ...judgeLockedFree(observation, counted),
    ...judgeLicenses(observation, counted, licenses),
    ...tokenNotes(observation, counted),
    ...judgeBought(observation, registration, certificates),
  ];
}

const TOKEN_COUNT = 'the number of licensed FortiToken Mobile tokens';
const TOKEN_LIST = 'the list of FortiToken Mobile tokens';

function judgeMismatch(
  facts: ApplianceFacts,
  licensed: LicensedTokens | null,
  counted: TokenCounts | null,
): readonly Finding<TokenPoolCause>[] {
  if (licensed === null || counted === null || licensed.total === counted.total) return [];
  const expected = `${String(licensed.total)} FortiToken Mobile tokens, as licensed`;
  const claim =
    `There are ${String(counted.total)} tokens (${statusText(counted)}), but ${String(licensed.total)} are ` +
    'licensed.';
  return [warning('token-count-mismatch', withAppliance(facts, { rule: 'tokens-match-licence', claim, expected }))];
}

interface Supply {
  readonly total: number;
  /** Tokens that can be assigned. */
  readonly left: number;
  /** Free tokens that cannot be assigned. */
  readonly locked: number;
}

/**
 * The number from the licence is used if there is no token list, or if some tokens have an undocumented status. It can
 * include locked tokens, which only the list shows.
 */
export function supplyOf(licensed: LicensedTokens | null, counted: TokenCounts | null): Supply | null {
  const listed = counted === null ? 0 : assignable(counted);
  const locked = counted === null ? 0 : freeOf(counted.locked);
  if (counted !== null && counted.byStatus.other === 0) return { total: counted.total, left: listed, locked };
  if (licensed !== null && licensed.available !== null)
    return { total: licensed.total, left: Math.max(listed, licensed.available - locked), locked };
  return null;
}

function freeOf({ available, new: unused }: TokenCounts['byStatus']): number {
  return available + unused;
}

function assignable({ byStatus, locked }: TokenCounts): number {
  return freeOf(byStatus) - freeOf(locked);
}

function judgeSupply(
  facts: ApplianceFacts,
  { total, left, locked }: Supply,
  tokensLow: number,
): readonly Finding<TokenPoolCause>[] {
  if (total === 0) {
    const claim = 'There are no FortiToken Mobile tokens, because no licence is activated yet.';
    const expected = 'an activated FortiToken Mobile licence';
    return [note(withAppliance(facts, { rule: 'licence-active', claim, expected }))];
  }
  if (left <= 0) {
    const claim =
      locked === 0 ? `All ${String(total)} tokens are assigned.` : `All ${String(locked)} free tokens are locked.`;
    const told = { rule: 'tokens-left', claim, expected: 'at least one free token', ...kindOf(locked) };
    return [broken('tokens-exhausted', withAppliance(facts, told))];
  }
  if (left / total >= tokensLow) return [];
  const expected = `at least ${percent(tokensLow)} of the tokens are free`;
  const found = `${String(left)} of ${String(total)}`;
  const claim = `${found} tokens are free (${percent(left / total)}).`;
  const told = { rule: 'tokens-left', claim, expected, facts: { found }, ...kindOf(locked) };
  return [warning('tokens-running-out', withAppliance(facts, told))];
}

function kindOf(locked: number): Pick<Finding<TokenPoolCause>, 'kind'> {
  return locked === 0 ? {} : { kind: 'locked' };
}

/** On FortiAuthenticator 8.0.0, assigning such a token is refused with "This serial number is not available for use." */
function judgeLockedFree(facts: ApplianceFacts, counted: TokenCounts | null): readonly Finding<never>[] {
  const locked = counted === null ? 0 : freeOf(counted.locked);
  if (counted === null || locked === 0) return [];
  const claim =
    `${String(locked)} of ${String(freeOf(counted.byStatus))} free tokens are locked and cannot be assigned ` +
    '(Authentication > User Management > FortiTokens).';
  return [note(withAppliance(facts, { rule: 'free-tokens-unlocked', claim, expected: 'no locked free tokens' }))];
}

/** Tokens with an undocumented status may also be free. */
function judgeUnclear(
  facts: ApplianceFacts,
  counted: TokenCounts | null,
  tokensLow: number,
): readonly Finding<TokenPoolCause>[] {
  if (counted === null) return [];
  const free = assignable(counted);
  if (free > 0 && free / counted.total >= tokensLow) return [];
  const claim =
    `At least ${String(free)} of ${String(counted.total)} tokens are free, and the status of ` +
    `${String(counted.byStatus.other)} tokens is not documented.`;
  return [unknown(withAppliance(facts, { rule: 'tokens-left', claim, expected: 'enough free tokens' }))];
}

/** Licences without tokens have not been activated yet, which users should know before a migration. */
function judgeLicenses(
  facts: ApplianceFacts,
  counted: TokenCounts | null,
  licenses: readonly string[],
): readonly Finding<TokenPoolCause>[] {
  if (counted === null || counted.total === 0) return [];
  const held = `the tokens on this unit are from ${licenseText(counted)}`;
  return licenses
    .filter((license) => holdsTokensOf(facts, license) === false)
    .map((license) => {
      const claim = `Licence ${license} is not activated on this unit, because ${held}.`;
      const expected = `tokens from licence ${license} on the appliance`;
      return note(withAppliance(facts, { rule: 'licence-brought-tokens', claim, expected, facts: { license } }));
    });
}

function judgeReading(
  facts: ApplianceFacts,
  rule: string,
  expected: string,
  resource: Resource<unknown>,
): readonly Finding<TokenPoolCause>[] {
  if (resource.kind === 'read') return [];
  const claim =
    resource.kind === 'absent'
      ? `This firmware does not provide ${expected}.`
      : `${capital(expected)} could not be read${resource.kind === 'failed' ? ` (${resource.reason})` : ''}.`;
  const quote = resource.kind === 'denied' || resource.kind === 'failed' ? { quote: resource.message } : {};
  const told = withAppliance(facts, { rule, claim, expected, ...quote });
  return [resource.kind === 'absent' ? note(told) : unknown(told)];
}

function statusText(counted: TokenCounts): string {
  return Object.entries(counted.byStatus)
    .filter(([, tokens]) => tokens > 0)
    .map(([status, tokens]) => `${String(tokens)} ${status}`)
    .join(', ');
}

/** A unit can have dozens of licences. */
function licenseText(counted: TokenCounts): string {
  const names = counted.byLicense.map(({ license, tokens }) => `${license} (${String(tokens)})`);
  return names.length === 0 ? 'no named licence' : nameList(names);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(share < 0.01 && share > 0 ? 1 : 0)} %`;
}

/** From an example in the REST API guide (6.5.5/875895). */
const TRIAL_UNREGISTERED = 'FTMTRIALNOREGIST';

function tokenNotes(facts: ApplianceFacts, counted: TokenCounts | null): readonly Finding<never>[] {
  if (counted === null) return [];
  const { byLicense, byStatus } = counted;
  const locked = lockedInUse(counted);
  const codeLife = valueOf(facts.provisioning)?.codeLife ?? null;
  const isUnregistered = byLicense.some(({ license }) => license.toUpperCase() === TRIAL_UNREGISTERED);
  return [
    ...(byStatus.pending === 0 ? [] : [note(withAppliance(facts, pendingFinding(counted, codeLife)))]),
    ...(locked === 0 ? [] : [note(withAppliance(facts, lockedFinding(locked)))]),
    ...(isUnregistered ? [note(withAppliance(facts, TRIAL))] : []),
  ];
}

const MINUTE: Millis = 60_000;

const TRIAL: FindingText = {
  rule: 'unit-registered',
  claim:
    `The trial tokens have the licence ${TRIAL_UNREGISTERED}, so the unit is probably not registered with ` +
    'Fortinet.',
  expected: 'trial tokens from a registered unit',
};

function pendingFinding(counted: TokenCounts, codeLife: Millis | null): FindingText {
  const claim = `${pendingText(counted, codeLife)}.`;
  return { rule: 'tokens-activated', claim, expected: 'no tokens that are waiting to be activated' };
}

function pendingText({ byStatus, pending = [] }: TokenCounts, codeLife: Millis | null): string {
  const given = `Tokens that are assigned but not activated yet: ${String(byStatus.pending)}`;
  const oldest = Math.max(0, ...pending.map(({ age }) => age));
  if (oldest < MINUTE) return given;
  const overdue = codeLife === null ? 0 : pending.filter(({ age }) => age > codeLife).length;
  const since = `${given}, the oldest for at least ${spanText(oldest)}`;
  if (codeLife === null || overdue === 0) return since;
  return `${since}; codes are valid for ${spanText(codeLife)}, so new codes are needed for ${String(overdue)} of them`;
}

function lockedInUse({ locked: { assigned, pending, other } }: TokenCounts): number {
  return assigned + pending + other;
}

function lockedFinding(locked: number): FindingText {
  const claim =
    locked === 1
      ? 'One assigned token is locked, so its user cannot log in.'
      : `${String(locked)} assigned tokens are locked, so their users cannot log in.`;
  return { rule: 'tokens-unlocked', claim, expected: 'no locked tokens that are assigned' };
}

export const tokenPool: Declaration<'token-pool', TokenPoolCause> = {
  id: 'token-pool',
  title: 'Token pool',
  dependsOn: [{ kind: 'needs', by: 'appliance' }],
  countsForReady: true,
  causes: TOKEN_POOL_CAUSES,
  unknownRemedy: 'Give the user in appliances[].api permission to read tokens and licences.',
  place: { kind: 'stop', stop: 'fortiauthenticator' },
  step: 'tokens',
  sources: ['appliances', 'registration'],
  judge: judgeTokens,
};

function judgeTokens({ picture: { appliances: units, registration } }: Facts): Judgement {
  if (!units.some(({ config: { api } }) => api !== null))
    return notConfigured('No FortiAuthenticator REST API is configured');
  if (!units.some(({ rest }) => rest?.kind === 'ok'))
    return unjudged('No FortiAuthenticator could be queried for its tokens');
  const found = poolsOf(units).flatMap((pool) => {
    const findings = judgePool(pool, registration);
    return pool.members.length === 1 ? findings : findings.map((finding) => ({ ...finding, concerns: pool.members }));
  });
  return judged(found, summaryOf(found));
}

/** Rules of notes that say what could not be compared. */
const LIMITS: readonly string[] = ['licence-active', 'token-licence-readable', 'tokens-readable'];

function summaryOf(findings: readonly Finding[]): string {
  const limit = findings.find(({ rule }) => LIMITS.includes(rule));
  return limit === undefined ? 'The tokens match the licence, and enough are free' : `${limit.subject}: ${limit.claim}`;
}

interface Pool {
  readonly members: readonly string[];
  /** Observation of the active member or, if the active member is unknown, of the member that reports the most. */
  readonly observation: ApplianceObservation;
  readonly licenses: readonly string[];
  readonly certificates: WatchedConfig['appliances'][number]['certificates'];
  readonly tokensLow: number;
}

type Asked = Member<UnitObservation>;

/** The members of an active-passive cluster share one pool of tokens (administration guide 6.4.1/122076). */
function poolsOf(units: readonly UnitObservation[]): readonly Pool[] {
  const groups: Asked[][] = [];
  for (const asked of membersOf(units).filter(({ seen }) => seen.rest !== null)) {
    const group = groups.find((members) => members.some((member) => isCluster(asked, member)));
    if (group === undefined) groups.push([asked]);
    else group.push(asked);
  }
  return groups.flatMap((members) => poolOf(members) ?? []);
}

/** A member that does not answer does not report its mode. */
function isCluster(one: Asked, other: Asked): boolean {
  const modes = [one, other].map(({ unit: { mode } }) => mode);
  return one.others.includes(other) && modes.includes('cluster') && !modes.includes('standalone');
}

function poolOf(members: readonly Asked[]): Pool | null {
  const [speaker] = members.toSorted((a, b) => standing(b) - standing(a));
  if (!speaker?.seen.rest) return null;
  const configs = members.map(({ seen: { config } }) => config);
  return {
    members: configs.map(({ name }) => name),
    observation: speaker.seen.rest,
    licenses: [...new Set(configs.flatMap(({ licenses }) => licenses))],
    certificates: configs.flatMap(({ certificates }) => certificates),
    tokensLow: speaker.seen.config.tokensLow,
  };
}

function standing({ seen: { rest }, unit }: Asked): number {
  if (rest?.kind !== 'ok') return 0;
  if (valueOf(rest.tokens) === null) return 1;
  return unit.primary !== null && unit.primary === unit.serial ? 3 : 2;
}

interface Bought {
  readonly license: string;
  readonly tokens: number;
  readonly by: string;
}

/**
 * Compares the number of each licence's tokens on the unit with the number purchased, according to the licence
 * certificate and the registration service. A licence without tokens has not been activated yet. If the two sources
 * differ and one of them matches the unit, nothing is reported.
 */
function judgeBought(
  facts: ApplianceFacts,
  registration: RegistrationObservation | null,
  certificates: Pool['certificates'],
): readonly Finding<TokenPoolCause>[] {
  const held = valueOf(facts.tokens)?.byLicense ?? [];
  return held.flatMap(({ license, tokens }): readonly Finding<TokenPoolCause>[] => {
    const bought = [...typedIn(certificates), ...registeredIn(registration)].filter((one) =>
      sameSerial(one.license, license),
    );
    const counts = [...new Set(bought.map((one) => one.tokens))];
    if (counts.length === 0 || counts.includes(tokens)) return [];
    const expected = bought.map((one) => `${String(one.tokens)} tokens from licence ${license}, ${one.by}`).join('; ');
    const claim =
      `The unit has ${String(tokens)} tokens from licence ${license}, ` + `but ${counts.join(' or ')} were purchased.`;
    const told = withAppliance(facts, { rule: 'tokens-as-bought', claim, expected, facts: { license } });
    if (counts.some((count) => tokens > count)) return [note(told)];
    const doubt = counts.length > 1 ? ({ confidence: 'suspected' } as const) : {};
    return [warning('token-count-mismatch', { ...told, ...doubt })];
  });
}

function typedIn(certificates: Pool['certificates']): readonly Bought[] {
  return certificates.flatMap(({ license, tokens }) =>
    tokens === null ? [] : [{ license, tokens, by: 'as stated on its certificate' }],
  );
}

function registeredIn(registration: RegistrationObservation | null): readonly Bought[] {
  if (registration?.kind !== 'ok') return [];
  return registration.lookups.flatMap(({ license, outcome }) =>
    outcome.kind === 'registered' && outcome.bought !== undefined
      ? [{ license, tokens: outcome.bought, by: 'according to its SKU' }]
      : [],
  );
}
