import { expect, it } from 'vitest';
import type { ApplianceObservation } from '../../../../src/core/license/appliance.ts';
import { valueOf } from '../../../../src/core/license/resource.ts';
import type { ApplianceConfig } from '../../../../src/sources/appliances/section.ts';
import { type PendingStore, tokenId, withPendingAges } from '../../../../src/sources/appliances/pending-tokens.ts';
import { applianceFacts } from '../../../support/appliance-facts.ts';
import { configOf } from '../../../support/config-of.ts';

const [UNIT, WITHOUT_API] = await units();

async function units(): Promise<readonly ApplianceConfig[]> {
  const { appliances } = await configOf(`appliances:
  - { name: fac-1, api: { url: "https://10.0.0.5", user: monitor, keyEnv: SET_SECRET } }
  - { name: fac-2 }`);
  return appliances;
}

/** What a file holds between looks: text, as on disk. */
function storeWith(text = 'null'): PendingStore & { readonly text: () => string } {
  let saved = text;
  return {
    load: async () => {
      const parsed: unknown = JSON.parse(saved);
      return parsed;
    },
    save: async (seen) => {
      saved = JSON.stringify(seen);
    },
    text: () => saved,
  };
}

/** A unit on which these tokens wait. */
function waiting(...serials: readonly string[]): ApplianceObservation {
  const facts = applianceFacts();
  const tokens = valueOf(facts.tokens);
  if (tokens === null) throw new Error('expected tokens');
  return { ...facts, tokens: { kind: 'read', value: { ...tokens, pending: pendingOf(serials) } } };
}

function pendingOf(serials: readonly string[]): readonly { readonly id: string; readonly age: number }[] {
  return serials.map((serial) => ({ id: tokenId(serial), age: 0 }));
}

async function agesOf(rest: ApplianceObservation | null, store: PendingStore, at: number): Promise<readonly number[]> {
  if (UNIT === undefined || WITHOUT_API === undefined) throw new Error('expected two units');
  const seen = await withPendingAges(
    [
      { config: UNIT, rest, role: null },
      { config: WITHOUT_API, rest: null, role: null },
    ],
    store,
    at,
  );
  return seen
    .flatMap((unit) => (unit.rest?.kind === 'ok' ? (valueOf(unit.rest.tokens)?.pending ?? []) : []))
    .map(({ age }) => age);
}

it('counts from the first look that saw a token pending, over restarts', async () => {
  const store = storeWith();
  expect(await agesOf(waiting('FTKMOB01'), store, 1000)).toEqual([0]);
  expect(await agesOf(waiting('FTKMOB01', 'FTKMOB02'), store, 5000)).toEqual([4000, 0]);
  expect(await agesOf(waiting('ftkmob01'), storeWith(store.text()), 9000)).toEqual([8000]);
});

it('forgets a token that was activated meanwhile, and not while the unit does not tell', async () => {
  const store = storeWith();
  await agesOf(waiting('FTKMOB01'), store, 1000);
  await agesOf(null, store, 2000);
  await agesOf(applianceFacts({ tokens: { kind: 'absent' } }), store, 3000);
  expect(await agesOf(waiting('FTKMOB01'), store, 5000)).toEqual([4000]);
  await agesOf(waiting(), store, 6000);
  expect(await agesOf(waiting('FTKMOB01'), store, 9000)).toEqual([0]);
});

it('keeps no serial number', async () => {
  const store = storeWith();
  await agesOf(waiting('FTKMOB01'), store, 1000);
  expect(store.text()).not.toContain('FTKMOB01');
});

it.each(['7', '{}', '{"pending":{"x":"y"}}', '[]'])('begins anew with a file that holds %s', async (text) => {
  expect(await agesOf(waiting('FTKMOB01'), storeWith(text), 1000)).toEqual([0]);
});
