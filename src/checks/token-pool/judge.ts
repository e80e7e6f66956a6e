import type { TokenPoolCause } from './causes.ts';
import { tokenNotes } from './token-notes.ts';
import { toldOf } from '../told-of-appliance.ts';
import { type Finding, note, unknown } from '../../engine/finding.ts';
import type {
  ApplianceFacts,
  ApplianceObservation,
  LicensedTokens,
  TokenCounts,
} from '../../core/license/appliance.ts';
import { capital } from '../../engine/words/claim.ts';
import { nameList } from '../../core/name-list.ts';
import { sameSerial } from '../../core/license/unit.ts';
import { valueOf } from '../../core/license/resource.ts';
import type { Resource } from '../../core/license/resource.ts';

export interface TokenPoolExpectation {
  /** Licences that the configuration names for this appliance. */
  readonly licenses: readonly string[];
  /** `tokens-running-out` below this share of the tokens, 0 to 1; 0 never warns. */
  readonly tokensLow: number;
}

/**
 * Judges precondition `token-pool`. Of an appliance that cannot be read it is unknown; why is said by the precondition
 * `appliance`.
 */
export function judgeTokenPool(
  observation: ApplianceObservation,
  expected: TokenPoolExpectation,
): readonly Finding<TokenPoolCause>[] {
  const { appliance } = observation;
  if (observation.kind !== 'ok') {
    const actual = 'its API cannot be read';
    return [
      unknown({
        rule: 'tokens-readable',
        subject: appliance,
        claim: 'The tokens are not known, because the API cannot be read.',
        expected: TOKEN_LIST,
        actual,
        facts: { appliance },
      }),
    ];
  }
  const licensed = valueOf(observation.licensed);
  const counted = valueOf(observation.tokens);
  const supply = supplyOf(licensed, counted);
  return [
    ...judgeReading(observation, 'token-licence-readable', TOKEN_COUNT, observation.licensed),
    ...judgeReading(observation, 'tokens-readable', TOKEN_LIST, observation.tokens),
    ...judgeMismatch(observation, licensed, counted),
    ...(supply === null
      ? judgeUnclear(observation, counted, expected.tokensLow)
      : judgeSupply(observation, supply, expected.tokensLow)),
    ...judgeLicenses(observation, counted, expected.licenses),
    ...tokenNotes(observation, counted),
  ];
}

const TOKEN_COUNT = 'the count of licensed FortiToken Mobile tokens';
const TOKEN_LIST = 'the list of FortiToken Mobile tokens';

function judgeMismatch(
  facts: ApplianceFacts,
  licensed: LicensedTokens | null,
  counted: TokenCounts | null,
): readonly Finding<TokenPoolCause>[] {
  if (licensed === null || counted === null || licensed.total === counted.total) return [];
  const expected = `${String(licensed.total)} FortiToken Mobile tokens, as licensed`;
  const actual = `${String(counted.total)} tokens: ${statusText(counted)}`;
  const claim = `There are ${String(counted.total)} tokens, and ${String(licensed.total)} are licensed.`;
  const told = toldOf(facts, { rule: 'tokens-match-licence', claim, expected, actual });
  return [{ ...told, level: 'warning', suggests: 'token-count-mismatch' }];
}

export interface Supply {
  readonly total: number;
  readonly left: number;
}

/**
 * What the appliance has left to assign: the list is what it assigns from. Tokens of a status that the documentation
 * does not name may be free or not, so that then, as without a list, the licence's own figure stands in. Null: nothing
 * tells.
 */
export function supplyOf(licensed: LicensedTokens | null, counted: TokenCounts | null): Supply | null {
  if (counted !== null && counted.byStatus.other === 0) return { total: counted.total, left: freeOf(counted) };
  if (licensed !== null && licensed.available !== null) return { total: licensed.total, left: licensed.available };
  return null;
}

function freeOf({ byStatus }: TokenCounts): number {
  return byStatus.available + byStatus.new;
}

function judgeSupply(
  facts: ApplianceFacts,
  { total, left }: Supply,
  tokensLow: number,
): readonly Finding<TokenPoolCause>[] {
  if (total === 0) {
    const actual = 'no FortiToken Mobile token on the appliance: no licence is activated yet';
    const claim = 'There are no FortiToken Mobile tokens: no licence is activated yet.';
    const expected = 'an activated FortiToken Mobile licence';
    return [note(toldOf(facts, { rule: 'licence-active', claim, expected, actual }))];
  }
  if (left <= 0) {
    const actual = `none of ${String(total)} tokens is left`;
    const claim = `All ${String(total)} tokens are assigned.`;
    const told = toldOf(facts, { rule: 'tokens-left', claim, expected: 'at least one token left to assign', actual });
    return [{ ...told, level: 'broken', suggests: 'tokens-exhausted' }];
  }
  if (left / total >= tokensLow) return [];
  const expected = `at least ${percent(tokensLow)} of the tokens left to assign`;
  const actual = `${String(left)} of ${String(total)} tokens are left (${percent(left / total)})`;
  const told = toldOf(facts, { rule: 'tokens-left', claim: `${capital(actual)}.`, expected, actual });
  return [{ ...told, level: 'warning', suggests: 'tokens-running-out' }];
}

/**
 * Not even the free tokens that are known of are enough, and more of them may be free: `tokens-exhausted` would be a
 * guess.
 */
function judgeUnclear(
  facts: ApplianceFacts,
  counted: TokenCounts | null,
  tokensLow: number,
): readonly Finding<TokenPoolCause>[] {
  if (counted === null) return [];
  const free = freeOf(counted);
  if (free > 0 && free / counted.total >= tokensLow) return [];
  const actual =
    `at least ${String(free)} of ${String(counted.total)} tokens are left; ${String(counted.byStatus.other)} ` +
    'have a status that is not known here';
  const claim = `${capital(actual)}.`;
  return [unknown(toldOf(facts, { rule: 'tokens-left', claim, expected: 'tokens left to assign', actual }))];
}

/** A configured licence without tokens is not activated yet; before a migration that is just what one wants to know. */
function judgeLicenses(
  facts: ApplianceFacts,
  counted: TokenCounts | null,
  licenses: readonly string[],
): readonly Finding<TokenPoolCause>[] {
  if (counted === null || counted.total === 0) return [];
  const isHeld = (license: string): boolean => counted.byLicense.some((held) => sameSerial(held.license, license));
  const actual = `none; tokens are of ${licenseText(counted)}`;
  return licenses
    .filter((license) => !isHeld(license))
    .map((license) => {
      const told = toldOf(facts, {
        rule: 'licence-brought-tokens',
        claim: `No token of licence ${license} is on the appliance: it is not activated here.`,
        expected: `tokens of licence ${license} on the appliance`,
        actual,
      });
      return note({ ...told, facts: { ...told.facts, license } });
    });
}

function judgeReading(
  facts: ApplianceFacts,
  rule: string,
  expected: string,
  resource: Resource<unknown>,
): readonly Finding<TokenPoolCause>[] {
  const why = unreadableText(resource);
  if (why === null) return [];
  const claim =
    resource.kind === 'absent'
      ? `This firmware does not have ${expected}.`
      : `${capital(expected)} could not be read${resource.kind === 'failed' ? ` (${resource.reason})` : ''}.`;
  const quote = resource.kind === 'denied' || resource.kind === 'failed' ? { quote: resource.message } : {};
  const told = toldOf(facts, { rule, claim, expected, actual: why, ...quote });
  return [resource.kind === 'absent' ? note(told) : unknown(told)];
}

function unreadableText(resource: Resource<unknown>): string | null {
  switch (resource.kind) {
    case 'read':
      return null;
    case 'absent':
      return 'this firmware does not have the resource';
    case 'denied':
      return resource.message;
    case 'failed':
      return `no answer (${resource.reason}): ${resource.message}`;
  }
}

function statusText(counted: TokenCounts): string {
  return Object.entries(counted.byStatus)
    .filter(([, tokens]) => tokens > 0)
    .map(([status, tokens]) => `${String(tokens)} ${status}`)
    .join(', ');
}

/** The first few: a unit may hold dozens of licences. */
function licenseText(counted: TokenCounts): string {
  const names = counted.byLicense.map(({ license, tokens }) => `${license} (${String(tokens)})`);
  return names.length === 0 ? 'no named licence' : nameList(names);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(share < 0.01 && share > 0 ? 1 : 0)} %`;
}
