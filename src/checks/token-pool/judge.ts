import type { TokenPoolCause } from './causes.ts';
import type { Finding, FindingLevel } from '../../engine/finding.ts';
import type {
  ApplianceFacts,
  ApplianceObservation,
  LicensedTokens,
  TokenCounts,
} from '../../core/license/appliance.ts';
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
export function judgeTokenPool(observation: ApplianceObservation, expected: TokenPoolExpectation): readonly Finding[] {
  if (observation.kind !== 'ok') return [untold(observation)];
  const licensed = valueOf(observation.licensed);
  const counted = valueOf(observation.tokens);
  const supply = supplyOf(licensed, counted);
  return [
    ...unreadable(
      observation,
      'token-licence-readable',
      'the count of licensed FortiToken Mobile tokens',
      observation.licensed,
    ),
    ...unreadable(observation, 'tokens-readable', 'the list of FortiToken Mobile tokens', observation.tokens),
    ...judgeMismatch(observation, licensed, counted),
    ...(supply === null
      ? judgeUnclear(observation, counted, expected.tokensLow)
      : judgeSupply(observation, supply, expected.tokensLow)),
    ...judgeLicenses(observation, counted, expected.licenses),
  ];
}

function untold({ appliance }: Exclude<ApplianceObservation, ApplianceFacts>): Finding {
  return {
    rule: 'tokens-readable',
    subject: appliance,
    expected: 'the list of FortiToken Mobile tokens',
    actual: 'its API cannot be read',
    level: 'unknown',
    suggests: null,
    facts: { appliance },
  };
}

function judgeMismatch(
  facts: ApplianceFacts,
  licensed: LicensedTokens | null,
  counted: TokenCounts | null,
): readonly Finding[] {
  if (licensed === null || counted === null || licensed.total === counted.total) return [];
  return [
    finding(facts, {
      rule: 'tokens-match-licence',
      expected: `${String(licensed.total)} FortiToken Mobile tokens, as licensed`,
      actual: `${String(counted.total)} tokens: ${statusText(counted)}`,
      level: 'warning',
      suggests: 'token-count-mismatch',
    }),
  ];
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

function judgeSupply(facts: ApplianceFacts, { total, left }: Supply, tokensLow: number): readonly Finding[] {
  if (total === 0) return [noTokens(facts)];
  if (left <= 0) {
    return [
      finding(facts, {
        rule: 'tokens-left',
        expected: 'at least one token left to assign',
        actual: `none of ${String(total)} tokens is left`,
        level: 'broken',
        suggests: 'tokens-exhausted',
      }),
    ];
  }
  if (left / total >= tokensLow) return [];
  return [
    finding(facts, {
      rule: 'tokens-left',
      expected: `at least ${percent(tokensLow)} of the tokens left to assign`,
      actual: `${String(left)} of ${String(total)} tokens are left (${percent(left / total)})`,
      level: 'warning',
      suggests: 'tokens-running-out',
    }),
  ];
}

/**
 * Not even the free tokens that are known of are enough, and more of them may be free: `tokens-exhausted` would be a
 * guess.
 */
function judgeUnclear(facts: ApplianceFacts, counted: TokenCounts | null, tokensLow: number): readonly Finding[] {
  if (counted === null) return [];
  const known = freeOf(counted);
  if (known > 0 && known / counted.total >= tokensLow) return [];
  return [
    finding(facts, {
      rule: 'tokens-left',
      expected: 'tokens left to assign',
      actual:
        `at least ${String(known)} of ${String(counted.total)} tokens are left; ` +
        `${String(counted.byStatus.other)} have a status that is not known here`,
      level: 'unknown',
      suggests: null,
    }),
  ];
}

function noTokens(facts: ApplianceFacts): Finding {
  return finding(facts, {
    rule: 'licence-active',
    expected: 'an activated FortiToken Mobile licence',
    actual: 'no FortiToken Mobile token on the appliance: no licence is activated yet',
    level: 'note',
    suggests: null,
  });
}

/** A configured licence without tokens is not activated yet; before a migration that is just what one wants to know. */
function judgeLicenses(
  facts: ApplianceFacts,
  counted: TokenCounts | null,
  licenses: readonly string[],
): readonly Finding[] {
  if (counted === null || counted.total === 0) return [];
  const held = new Set(counted.byLicense.map(({ license }) => license.toUpperCase()));
  return licenses
    .filter((license) => !held.has(license.toUpperCase()))
    .map((license) => ({
      ...finding(facts, {
        rule: 'licence-brought-tokens',
        expected: `tokens of licence ${license} on the appliance`,
        actual: `none; tokens are of ${licenseText(counted)}`,
        level: 'note',
        suggests: null,
      }),
      facts: { ...factsOf(facts), license },
    }));
}

function unreadable(
  facts: ApplianceFacts,
  rule: string,
  what: string,
  resource: Resource<unknown>,
): readonly Finding[] {
  const why = unreadableText(resource);
  if (why === null) return [];
  return [
    finding(facts, {
      rule,
      expected: what,
      actual: why,
      level: resource.kind === 'absent' ? 'note' : 'unknown',
      suggests: null,
    }),
  ];
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

interface Judgement {
  readonly rule: string;
  readonly expected: string;
  readonly actual: string;
  readonly level: FindingLevel;
  readonly suggests: TokenPoolCause | null;
}

function finding(facts: ApplianceFacts, judgement: Judgement): Finding {
  return { ...judgement, subject: facts.appliance, facts: factsOf(facts) };
}

function factsOf(facts: ApplianceFacts): { readonly appliance: string; readonly serial: string } {
  return { appliance: facts.appliance, serial: facts.system.serial };
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
  if (names.length === 0) return 'no named licence';
  return names.length <= 5 ? names.join(', ') : `${names.slice(0, 5).join(', ')} and ${String(names.length - 5)} more`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(share < 0.01 && share > 0 ? 1 : 0)} %`;
}
