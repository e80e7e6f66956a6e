import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/system/clock.ts';
import type { HttpFault } from '../../../src/demo/lab/https-peer.ts';
import { LICENSES_PATH, PRODUCTS_PATH } from '../../../src/demo/lab/registration.ts';
import { idleClock } from '../../support/time/idle-clock.ts';
import { A, B, memoryStore, outcomes, paths, startRegistration } from '../../support/connectors/registration-bench.ts';

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
    const store = memoryStore();
    expect(outcomes(await bench.observe({ licenses: [A, B], store }))).toMatchObject([
      { kind: 'failed', reason: 'rejected' },
      { kind: 'failed', reason: 'rejected' },
    ]);
    expect(store.saved().errors).toHaveLength(2);
  });

  it('that is a failure stops the round, and the next rounds until the back-off ends, across a restart', async () => {
    await using bench = await startRegistration();
    bench.service.setFault({ kind: 'status', status: 500 }, LICENSES_PATH);
    const store = memoryStore();
    expect(outcomes(await bench.observe({ licenses: [A, B], store }))).toMatchObject([
      { kind: 'failed' },
      { kind: 'postponed' },
    ]);
    bench.service.setFault({ kind: 'none' }, LICENSES_PATH);
    const sent = bench.service.requests.length;
    const kept = memoryStore();
    await kept.save(store.saved());
    expect(await bench.observe({ store: kept })).toMatchObject({
      kind: 'postponed',
      until: store.saved().blockedUntil,
    });
    expect(bench.service.requests).toHaveLength(sent);
    const later = { ...systemClock, now: () => store.saved().blockedUntil };
    expect(outcomes(await bench.observe({ store: kept, context: { clock: later } }))).toEqual([{ kind: 'not-listed' }]);
  });

  it.each<HttpFault>([{ kind: 'reset' }, { kind: 'truncated' }, { kind: 'html' }])(
    'that leaves no answer backs off too: $kind',
    async (fault) => {
      await using bench = await startRegistration();
      bench.service.setFault(fault);
      const store = memoryStore();
      await bench.observe({ store });
      expect(await bench.observe({ store })).toMatchObject({ kind: 'postponed' });
      expect(store.saved()).toMatchObject({ failures: 1, calls: [expect.any(Number)], errors: [expect.any(Number)] });
    },
  );

  it('429 is waited out as long as the service asks', async () => {
    await using bench = await startRegistration();
    bench.service.setFault({ kind: 'status', status: 429, headers: { 'retry-after': '1800' } }, LICENSES_PATH);
    const store = memoryStore();
    await bench.observe({ store });
    expect(store.saved().blockedUntil - Date.now()).toBeGreaterThan(1_700_000);
  });

  it('is no error of the service when the round is called off', async () => {
    await using bench = await startRegistration();
    bench.service.setFault({ kind: 'silent' }, LICENSES_PATH);
    const store = memoryStore();
    const controller = new AbortController();
    const observation = bench.observe({ store, context: { signal: controller.signal } });
    await expect.poll(() => paths(bench.service).length).toBe(2);
    controller.abort(new Error('Shutting down'));
    expect(outcomes(await observation)).toMatchObject([{ kind: 'failed', reason: 'aborted' }]);
    expect(store.saved().errors).toEqual([]);
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

describe('the quota', () => {
  it('postpones what would exceed it', async () => {
    await using bench = await startRegistration();
    const store = memoryStore({ callsPerMinute: 3, callsPerHour: 100, errorsPerHour: 10 });
    const licenses = [A, B, 'EFTM000000000003', 'EFTM000000000004'];
    expect(outcomes(await bench.observe({ licenses, store }))).toMatchObject([
      { kind: 'not-listed' },
      { kind: 'not-listed' },
      { kind: 'postponed' },
      { kind: 'postponed' },
    ]);
    expect(bench.service.requests).toHaveLength(3);
  });

  it('is for the licences that are listed first: the details of units are asked for after them', async () => {
    await using bench = await startRegistration({ licenses: [{ licenseNumber: B, serialNumber: 'FAC-B' }] });
    const store = memoryStore({ callsPerMinute: 3, callsPerHour: 100, errorsPerHour: 10 });
    const serials = ['FAC-A', 'FAC-B', 'FAC-C'];
    expect(outcomes(await bench.observe({ licenses: [A, B], serials, store }))).toMatchObject([
      { kind: 'postponed' },
      { kind: 'registered', serial: 'FAC-B' },
    ]);
  });

  it('is not spent on units that the service does not know, whose details are errors', async () => {
    await using bench = await startRegistration();
    const store = memoryStore();
    const serials = Array.from({ length: 12 }, (_, index) => `FAC-VM00000000${String(index + 10)}`);
    expect(outcomes(await bench.observe({ licenses: [A, B], serials, store }))).toEqual([
      { kind: 'not-listed' },
      { kind: 'not-listed' },
    ]);
    expect(store.saved().errors).toHaveLength(3);
    expect(outcomes(await bench.observe({ licenses: [A], store }))).toEqual([{ kind: 'not-listed' }]);
  });
});
