import { expect, it } from 'vitest';
import { type ApplianceObservation, MOST_PENDING, pendingSince } from '../../../src/core/license/appliance.ts';
import { valueOf } from '../../../src/core/observation.ts';
import type { ApplianceConfig } from '../../../src/config/schema/watched.ts';
import { createPendingMemory, createTokenCounter, type PendingMemory } from '../../../src/connectors/token-counts.ts';
import type { BackgroundFile } from '../../../src/system/json-file.ts';
import { applianceFacts } from '../../support/checks/appliance-facts.ts';
import { configOf } from '../../support/config/config-of.ts';

const [UNIT, OTHER] = await units();

async function units(): Promise<readonly ApplianceConfig[]> {
  const { appliances } = await configOf(`appliances:
  - { name: fac-1, api: { url: "https://10.0.0.5", user: monitor, keyEnv: SET_SECRET } }
  - { name: fac-2, api: { url: "https://10.0.0.6", user: monitor, keyEnv: SET_SECRET } }`);
  return appliances;
}

/** Returns a file that keeps its content as text between rounds, as on disk. */
function fileWith(text = 'null'): BackgroundFile & { readonly text: () => string } {
  let saved = text;
  return {
    load: async () => {
      const parsed: unknown = JSON.parse(saved);
      return parsed;
    },
    save: (seen) => {
      saved = JSON.stringify(seen);
    },
    text: () => saved,
  };
}

/** Returns a unit on which these tokens are pending. */
function waiting(...serials: readonly string[]): ApplianceObservation {
  const facts = applianceFacts();
  const tokens = valueOf(facts.tokens);
  if (tokens === null) throw new Error('expected tokens');
  return { ...facts, tokens: { kind: 'read', value: { ...tokens, pending: pendingOf(serials) } } };
}

function pendingOf(serials: readonly string[]): readonly { readonly id: string; readonly age: number }[] {
  const counter = createTokenCounter();
  counter.add(serials.map((serial) => ({ serial, status: 'pending' })));
  return counter.counts().pending ?? [];
}

async function agesOf(
  rest: ApplianceObservation | null,
  memory: PendingMemory,
  at: number,
  [config, names]: readonly [ApplianceConfig | undefined, readonly string[]] = [UNIT, ['fac-1']],
): Promise<readonly number[]> {
  if (config === undefined) throw new Error('expected two units');
  const seen = await memory.withAges({ config, rest, role: null }, names, at);
  return seen.rest?.kind === 'ok' ? (valueOf(seen.rest.tokens)?.pending ?? []).map(({ age }) => age) : [];
}

it('counts from the first look that saw a token pending, over restarts', async () => {
  const file = fileWith();
  const memory = createPendingMemory(file);
  expect(await agesOf(waiting('FTKMOB01'), memory, 1000)).toEqual([0]);
  expect(await agesOf(waiting('FTKMOB01', 'FTKMOB02'), memory, 5000)).toEqual([4000, 0]);
  expect(await agesOf(waiting('ftkmob01'), createPendingMemory(fileWith(file.text())), 9000)).toEqual([8000]);
});

it('forgets a token that was activated meanwhile, and not while the unit does not tell', async () => {
  const memory = createPendingMemory(fileWith());
  await agesOf(waiting('FTKMOB01'), memory, 1000);
  await agesOf(null, memory, 2000);
  await agesOf(applianceFacts({ tokens: { kind: 'absent' } }), memory, 3000);
  expect(await agesOf(waiting('FTKMOB01'), memory, 5000)).toEqual([4000]);
  await agesOf(waiting(), memory, 6000);
  expect(await agesOf(waiting('FTKMOB01'), memory, 9000)).toEqual([0]);
});

it('remembers the tokens of several units that are asked at the same time, each by itself', async () => {
  const names = ['fac-1', 'fac-2'];
  const file = fileWith();
  const ask = (memory: PendingMemory, at: number): Promise<readonly (readonly number[])[]> =>
    Promise.all([
      agesOf(waiting('FTKMOB01'), memory, at, [UNIT, names]),
      agesOf(waiting('FTKMOB02', 'FTKMOB03'), memory, at, [OTHER, names]),
    ]);
  const memory = createPendingMemory(file);
  expect(await ask(memory, 1000)).toEqual([[0], [0, 0]]);
  expect(await ask(memory, 3000)).toEqual([[2000], [2000, 2000]]);
  const restarted = createPendingMemory(fileWith(file.text()));
  expect(await agesOf(waiting('FTKMOB02'), restarted, 5000, [OTHER, names])).toEqual([4000]);
});

it('counts from now after the clock was set back', async () => {
  const memory = createPendingMemory(fileWith());
  await agesOf(waiting('FTKMOB01'), memory, 5000);
  expect(await agesOf(waiting('FTKMOB01'), memory, 1000)).toEqual([0]);
  expect(await agesOf(waiting('FTKMOB01'), memory, 2500)).toEqual([1500]);
});

it('remembers a bounded number of tokens of a unit that never tells all', () => {
  const ids = Array.from({ length: MOST_PENDING + 10 }, (_, index) => String(index));
  const before = new Map([['a', 1000]]);
  expect(pendingSince(before, { ids, isWhole: false, at: 3000 }).size).toBe(MOST_PENDING);
});

it('keeps no serial number', async () => {
  const file = fileWith();
  await agesOf(waiting('FTKMOB01'), createPendingMemory(file), 1000);
  expect(file.text()).toContain('pending');
  expect(file.text()).not.toContain('FTKMOB01');
});

it.each(['7', '{}', '{"pending":{"x":"y"}}', '[]'])('begins anew with a file that holds %s', async (text) => {
  expect(await agesOf(waiting('FTKMOB01'), createPendingMemory(fileWith(text)), 1000)).toEqual([0]);
});
