import { afterAll, beforeAll, expect, it } from 'vitest';
import { fortigateNotes } from '../../../src/checks/token-pool/judge.ts';
import { type FirewallState, FORTITOKENS_PATH } from '../../lab/firewall.ts';
import { createFirewallBench, type FirewallBench } from '../../support/connectors/firewall-bench.ts';

let bench: FirewallBench;

beforeAll(async () => {
  bench = await createFirewallBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

/** The fields that FortiPower/PowerFGT documents: description, type, license, status. */
const TOKEN = { description: 'of Alice', type: 'mobile', license: 'EFTM000000000001', user: 'alice', seed: 'c2VlZA==' };

async function seen(fortitokens: FirewallState['fortitokens'], isAsked = true) {
  await using firewall = await bench.start({ fortitokens });
  const observation = await bench.observe(firewall, { fortitokens: isAsked });
  return {
    observation,
    notes: fortigateNotes([observation]).map(({ level, actual }) => [level, actual]),
    wasAsked: firewall.requests.some(({ path }) => path.startsWith(FORTITOKENS_PATH)),
  };
}

it.each<[string, FirewallState['fortitokens'], string]>([
  [
    'a list',
    [
      { ...TOKEN, status: 'active' },
      { ...TOKEN, status: 'new' },
      { ...TOKEN, status: 'active' },
    ],
    '2 active, 1 new',
  ],
  ['a map', { FTKMOB01: { ...TOKEN, status: 'active' }, FTKMOB02: TOKEN }, '1 active, 1 without a status'],
  ['no token', [], 'none'],
  ['tokens that may not be read', null, 'unknown: HTTP 403: the API token is not allowed to read FortiTokens'],
])('notes %s', async (_, fortitokens, expected) => {
  expect((await seen(fortitokens)).notes).toEqual([['note', expected]]);
});

it('keeps the status alone', async () => {
  const { observation } = await seen({ FTKMOB01: { ...TOKEN, status: 'active' } });
  if (observation.kind !== 'ok' || observation.fortitokens?.kind !== 'read') throw new Error('expected tokens');
  expect([...observation.fortitokens.value]).toEqual([['active', 1]]);
  expect(JSON.stringify(observation)).not.toMatch(/alice|c2VlZA|FTKMOB/iu);
});

it('bounds what a stranger calls a status', async () => {
  const many = Array.from({ length: 30 }, (_, index) => ({ status: `${String(index)}${'x'.repeat(100)}` }));
  const { notes } = await seen(many);
  expect(notes[0]?.[1]).toContain('20 in another status');
  expect(notes[0]?.[1]?.length).toBeLessThan(500);
});

it.each([
  ['404', { kind: 'status', status: 404 }],
  ['no JSON', { kind: 'body', body: 'no JSON' }],
  ['another shape', { kind: 'body', body: '{"results":7}' }],
] as const)('says nothing where the answer is %s', async (_, fault) => {
  await using firewall = await bench.start();
  firewall.setFault(fault, FORTITOKENS_PATH);
  const observation = await bench.observe(firewall, { fortitokens: true });
  expect(observation).toMatchObject({ kind: 'ok', match: { kind: 'policy' } });
  expect(fortigateNotes([observation])).toEqual([]);
});

it('does not ask a FortiGate that holds none', async () => {
  expect(await seen([{ ...TOKEN, status: 'active' }], false)).toMatchObject({ notes: [], wasAsked: false });
});
