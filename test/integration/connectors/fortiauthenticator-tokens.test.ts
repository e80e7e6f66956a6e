import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { createFortiAuthenticator } from '../../../src/demo/lab/fortiauthenticator.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import { judgeTokens, readUnit } from '../../support/checks/judged-tokens.ts';
import { apiOf, factsOf, observeApi } from '../../support/connectors/appliance-bench.ts';
import { connectorContext } from '../../support/connectors/connector-context.ts';
import { readTokenUsers } from '../../../src/connectors/token-users.ts';
import { messageOf } from '../../../src/text/message-of.ts';

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect === 'function') collect();
}

describe('the users', () => {
  it.each([
    [403, /^\["radiususers"\]$/u],
    [404, /^\["radiususers"\]$/u],
    [500, /"radiususers": HTTP status 500/u],
  ])('are missing only if they cannot be read: HTTP %i', async (status, expected) => {
    await using fac = await createFortiAuthenticator();
    fac.setFault({ kind: 'status', status }, 'radiususers');
    const context = connectorContext({ env: { FAC_KEY: 'web-service-key' } });
    const told = await readTokenUsers(apiOf(fac), null, context).then(
      ({ unread }) => JSON.stringify(unread),
      messageOf,
    );
    expect(told).toMatch(expected);
  });

  it('are read, also if much is known of each', async () => {
    const known = { custom1: 'x'.repeat(250), custom2: 'x'.repeat(250), address: 'x'.repeat(80) };
    const user_groups = Array.from({ length: 40 }, (_, index) => `/api/v1/usergroups/${String(index)}/`);
    const localusers = Array.from({ length: 1_000 }, (_, index) => ({
      ...known,
      user_groups,
      username: `user${String(index).padStart(4, '0')}`,
      token_type: 'ftm',
      token_serial: `FTKMOB${String(index).padStart(10, '0')}`,
    }));
    await using fac = await createFortiAuthenticator({ state: { users: { localusers } } });
    const context = connectorContext({ env: { FAC_KEY: 'web-service-key' } });
    const { users } = await readTokenUsers(apiOf(fac), null, context);
    expect(users.map(({ name }) => name)).toEqual(localusers.map(({ username }) => username));
  });
});

describe('the tokens', () => {
  it.each([
    [95, 20, 5],
    [2_500, 1_000, 3],
  ])('are counted, %i of them, though the appliance gives %i at once', async (count, maxPage, pages) => {
    await using fac = await createFortiAuthenticator({ state: { tokens: [{ count, status: 'available' }], maxPage } });
    const facts = await factsOf(fac);
    expect(facts.tokens).toMatchObject({ kind: 'read', value: { total: count, withoutLicense: count } });
    expect(fac.requests.filter(({ path }) => path.includes('/fortitokens/'))).toHaveLength(pages);
  });

  it('are mobile ones alone, some without a licence, whether the field is null or left out', async () => {
    await using fac = await createFortiAuthenticator({
      state: {
        tokens: [
          { count: 1, status: 'available', license: 'EFTM010130823929' },
          { count: 2, status: 'assigned', license: null },
          { count: 4, status: 'assigned' },
          { count: 8, status: 'assigned', license: null, type: 'ftk' },
        ],
      },
    });
    expect((await factsOf(fac)).tokens).toMatchObject({
      kind: 'read',
      value: {
        total: 7,
        byStatus: { available: 1, assigned: 6 },
        byLicense: [{ license: 'EFTM010130823929', tokens: 1 }],
        withoutLicense: 6,
      },
    });
  });

  it('are free only if they are not locked, as on a unit with 8.0.0', async () => {
    await using fac = await createFortiAuthenticator({
      state: {
        licensed: { available_ftm: 4, total_ftm: 32, used_ftm: 28 },
        tokens: [
          { count: 4, status: 'available', license: 'EFTM010130823929', locked: true },
          { count: 28, status: 'assigned', license: 'EFTM010130823929' },
        ],
      },
    });
    expect(judgeTokens([readUnit(await factsOf(fac))])).toMatchObject([
      { suggests: 'tokens-exhausted', kind: 'locked', level: 'broken' },
      { rule: 'free-tokens-unlocked', level: 'note' },
    ]);
  });

  it('are counted by their status, each page of 5,000 asked for once', async () => {
    await using fac = await createFortiAuthenticator({
      state: {
        tokens: [
          { count: 4000, status: 'assigned', license: 'EFTM000000000001' },
          { count: 1000, status: 'available', license: 'EFTM000000000002' },
        ],
        maxPage: 20,
      },
    });
    const facts = await factsOf(fac);
    expect(facts.tokens).toMatchObject({
      kind: 'read',
      value: { total: 5000, byStatus: { assigned: 4000, available: 1000 } },
    });
    expect(fac.requests.filter(({ path }) => path.includes('/fortitokens/'))).toHaveLength(250);
  });

  it('are counted in memory that does not grow with their number', async () => {
    await using fac = await createFortiAuthenticator();
    const tokens = [{ count: 12_000, status: 'assigned', license: 'EFTM000000000001' }];
    const used: number[] = [];
    // The simulator reads the tokens once per page.
    Object.defineProperty(fac.state, 'tokens', {
      get: () => {
        collectGarbage();
        used.push(process.memoryUsage().heapUsed);
        return tokens;
      },
    });
    expect((await factsOf(fac)).tokens).toMatchObject({ kind: 'read', value: { total: 12_000 } });
    const [early, late] = [used.slice(5, 15), used.slice(-10)].map((samples) => Math.min(...samples));
    // 25,000 parsed tokens would take more than 5 MiB.
    expect((late ?? Number.NaN) - (early ?? Number.NaN)).toBeLessThan(1024 * 1024);
  });

  it.each([
    ['another host', 'https://evil.test/api/v1/fortitokens/?offset=20'],
    ['another host without a scheme', '//evil.test/api/v1/fortitokens/?offset=20'],
    ['another host with backslashes', '/\\evil.test/api/v1/fortitokens/?offset=20'],
    ['another resource', '/api/v1/localusers/?offset=20'],
    ['a way up', '/api/v1/fortitokens/../localusers/'],
    ['no path', 'fortitokens/?offset=20'],
  ])('are not followed to %s', async (_, next) => {
    await using fac = await createFortiAuthenticator({ state: { maxPage: 10, next } });
    const facts = await factsOf(fac);
    expect(facts.tokens).toMatchObject({ kind: 'failed', reason: 'protocol' });
    expect(fac.requests.filter(({ path }) => path.includes('offset') || path.includes('localusers'))).toEqual([]);
  });

  it('end where the pages go in a circle', async () => {
    await using fac = await createFortiAuthenticator({
      state: { maxPage: 1, tokens: [{ count: 2, status: 'new' }], next: '/api/v1/fortitokens/?offset=0' },
    });
    const facts = await factsOf(fac);
    expect(facts.tokens).toMatchObject({
      kind: 'failed',
      reason: 'protocol',
      message: 'Cannot read "fortitokens": a page refers to an earlier page',
    });
    expect(fac.requests.filter(({ path }) => path.includes('/fortitokens/'))).toHaveLength(2);
  });

  it('end after a bounded number of pages when the pages have no end', async () => {
    await using fac = await createFortiAuthenticator({
      state: { maxPage: 1, tokens: [{ count: 2000, status: 'new' }] },
    });
    const facts = await factsOf(fac);
    expect(facts.tokens).toMatchObject({
      kind: 'failed',
      reason: 'protocol',
      message: 'Cannot read "fortitokens": there are more than 1000 pages',
    });
  });

  it('end after a minute when there are ever more', async () => {
    await using fac = await createFortiAuthenticator({ state: { tokens: [{ count: 2_000, status: 'new' }] } });
    const clock = handClock(Date.now());
    Object.defineProperty(fac.state, 'maxPage', {
      get: () => {
        clock.advance(200);
        return 1;
      },
    });
    const observation = await observeApi(apiOf(fac), { clock });
    expect(observation).toMatchObject({ kind: 'ok', tokens: { kind: 'failed', reason: 'timeout' } });
  });

  it('are not counted from a page that is longer than was asked for', async () => {
    await using fac = await createFortiAuthenticator();
    fac.setFault(
      {
        kind: 'body',
        body: JSON.stringify({ meta: { next: null }, objects: Array.from({ length: 1001 }, () => ({})) }),
      },
      'fortitokens',
    );
    expect((await factsOf(fac)).tokens).toMatchObject({ kind: 'failed', reason: 'protocol' });
  });
});
