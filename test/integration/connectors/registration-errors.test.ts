import { describe, expect, it } from 'vitest';
import type { HttpFault } from '../../../src/demo/lab/https-peer.ts';
import { LICENSES_PATH, PRODUCTS_PATH } from '../../../src/demo/lab/registration.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import { MINUTE } from '../../support/time/units.ts';
import { idleClock } from '../../support/time/idle-clock.ts';
import { A, B, memoryFile, outcomes, paths, startRegistration } from '../../support/connectors/registration-bench.ts';

describe('an error of the service', () => {
  it.each<[string, HttpFault, unknown]>([
    ['401 at every question', { kind: 'status', status: 401 }, { kind: 'denied' }],
    ['429', { kind: 'status', status: 429 }, { kind: 'failed', reason: 'rejected' }],
    ['500', { kind: 'status', status: 500 }, { kind: 'failed', reason: 'rejected' }],
    ['HTML', { kind: 'html' }, { kind: 'failed', reason: 'protocol' }],
    ['a truncated body', { kind: 'truncated' }, { kind: 'failed', reason: 'closed' }],
    ['a reset', { kind: 'reset' }, { kind: 'failed', reason: 'reset' }],
    ['another kind of answer', { kind: 'body', body: '{"status": 0, "licenses": 7}' }, { reason: 'protocol' }],
    ['JSON that is no object', { kind: 'body', body: '[]' }, { kind: 'failed', reason: 'rejected' }],
  ])('%s', async (_, fault, expected) => {
    await using bench = await startRegistration();
    bench.service.setFault(fault, LICENSES_PATH);
    expect(outcomes(await bench.observe())[0]).toMatchObject(expected as object);
  });

  it.each([-1, 2])('HTTP 200 with status %j', async (status) => {
    await using bench = await startRegistration({
      envelope: { status, error: { errorCode: 41, message: 'No permission' } },
    });
    expect(outcomes(await bench.observe())).toMatchObject([
      {
        kind: 'failed',
        reason: 'rejected',
        message: `Looking up licence "${A}" failed: status ${String(status)}: 41 No permission`,
      },
    ]);
  });

  it('about a product leaves open who holds a licence that is not listed', async () => {
    await using bench = await startRegistration();
    bench.service.setFault({ kind: 'reset' }, PRODUCTS_PATH);
    expect(outcomes(await bench.observe({ serials: ['FAC-VM0000000001'] }))).toMatchObject([
      { kind: 'failed', reason: 'reset' },
    ]);
  });

  it('in the answer for one licence does not keep the others from being asked', async () => {
    await using bench = await startRegistration({ envelope: { status: -1 } });
    expect(outcomes(await bench.observe({ licenses: [A, B] }))).toMatchObject([
      { kind: 'failed', reason: 'rejected' },
      { kind: 'failed', reason: 'rejected' },
    ]);
  });

  it('that is a failure ends the query, and no other process asks until the pause is over', async () => {
    await using bench = await startRegistration();
    const clock = handClock(Date.now());
    const asking = { licenses: [A, B], file: memoryFile(), context: { clock } };
    bench.service.setFault({ kind: 'status', status: 500 }, LICENSES_PATH);
    expect(outcomes(await bench.observe(asking))).toMatchObject([{ kind: 'failed' }, { kind: 'postponed' }]);
    bench.service.setFault({ kind: 'none' }, LICENSES_PATH);
    const sent = bench.service.requests.length;
    clock.advance(MINUTE - 1);
    expect(await bench.observe(asking)).toEqual({ kind: 'postponed', until: clock.now() + 1 });
    expect(bench.service.requests).toHaveLength(sent);
    clock.advance(1);
    expect(outcomes(await bench.observe(asking))).toEqual([{ kind: 'not-listed' }, { kind: 'not-listed' }]);
  });

  it.each<HttpFault>([
    { kind: 'reset' },
    { kind: 'truncated' },
    { kind: 'html' },
    { kind: 'status', status: 401 },
    { kind: 'body', body: '{"status": "failed", "message": "Invalid credentials"}' },
  ])('at the login causes a pause too: $kind', async (fault) => {
    await using bench = await startRegistration();
    bench.service.setFault(fault);
    const file = memoryFile();
    expect(['failed', 'denied']).toContain((await bench.observe({ file })).kind);
    expect(await bench.observe({ file })).toMatchObject({ kind: 'postponed' });
    expect(bench.service.requests).toHaveLength(1);
  });

  it('429 is waited out as long as the service asks', async () => {
    await using bench = await startRegistration();
    bench.service.setFault({ kind: 'status', status: 429, headers: { 'retry-after': '1800' } }, LICENSES_PATH);
    const file = memoryFile();
    await bench.observe({ file });
    const [until] = [await bench.observe({ file })].map((seen) => (seen.kind === 'postponed' ? seen.until : 0));
    expect((until ?? 0) - Date.now()).toBeGreaterThan(1_700_000);
  });

  it('is not asked at all for a query that was called off, and a query that is called off causes a pause', async () => {
    await using bench = await startRegistration();
    bench.service.setFault({ kind: 'silent' }, LICENSES_PATH);
    const file = memoryFile();
    const controller = new AbortController();
    const context = { signal: controller.signal };
    const observation = bench.observe({ file, context });
    await expect.poll(() => paths(bench.service).length).toBe(2);
    controller.abort(new Error('Shutting down'));
    expect(outcomes(await observation)).toMatchObject([{ kind: 'failed', reason: 'aborted' }]);
    expect(await bench.observe({ file })).toMatchObject({ kind: 'postponed' });
    await bench.observe({ context });
    expect(paths(bench.service)).toHaveLength(2);
  });

  it.each<[string, HttpFault, string, string]>([
    ['the time that passed without an answer', { kind: 'silent' }, 'aborted', 'ok'],
    ['but an answer still counts', { kind: 'status', status: 503 }, 'rejected', 'postponed'],
  ])('a stall of this process explains %s', async (_, fault, reason, next) => {
    await using bench = await startRegistration();
    bench.service.setFault(fault, LICENSES_PATH);
    const file = memoryFile();
    const clock = handClock(Date.now());
    let late = 0;
    const elapsed = (): number => clock.elapsed() + (late += 2_000);
    const observation = bench.observe({ file, context: { clock: { ...clock, elapsed } } });
    await expect.poll(() => paths(bench.service).length).toBe(2);
    clock.advance(MINUTE);
    expect(outcomes(await observation)).toMatchObject([{ kind: 'failed', reason }]);
    bench.service.setFault({ kind: 'none' }, LICENSES_PATH);
    expect(await bench.observe({ file })).toMatchObject({ kind: next });
  });

  it('a trickle ends with the time', async () => {
    await using bench = await startRegistration();
    const clock = idleClock();
    bench.service.setFault({ kind: 'trickle', clock }, LICENSES_PATH);
    expect(outcomes(await bench.observe({ context: { clock } }))).toMatchObject([
      { kind: 'failed', reason: 'timeout' },
    ]);
  });

  // Listeners of network/rest/json-exchange.ts: callback of connect
  it('a certificate of somebody else gets no credentials', async () => {
    await using bench = await startRegistration();
    expect(await bench.observe({ config: { caFile: null } })).toMatchObject({ kind: 'failed', reason: 'tls' });
    expect(bench.service.requests).toEqual([]);
  });
});

describe('units that the service does not know', () => {
  it('cost few errors, and leave a licence that is not listed as it is', async () => {
    await using bench = await startRegistration();
    const serials = Array.from({ length: 12 }, (_, index) => `FAC-VM00000000${String(index + 10)}`);
    expect(outcomes(await bench.observe({ licenses: [A, B], serials }))).toEqual([
      { kind: 'not-listed' },
      { kind: 'not-listed' },
    ]);
    expect(paths(bench.service).filter((path) => path === PRODUCTS_PATH)).toHaveLength(3);
  });
});
