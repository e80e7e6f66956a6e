import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FirewallObservation } from '../../../src/core/license/firewall.ts';
import type { HttpFault } from '../../../src/demo/lab/https-peer.ts';
import { createFirewallBench, judged, type FirewallBench } from '../../support/connectors/firewall-bench.ts';
import { idleClock } from '../../support/time/idle-clock.ts';

const clock = idleClock();
let bench: FirewallBench;

beforeAll(async () => {
  bench = await createFirewallBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

describe('a failing firewall', () => {
  it.each<[string, HttpFault, Partial<FirewallObservation>]>([
    ['401', { kind: 'status', status: 401 }, { kind: 'denied', status: 401 }],
    ['403', { kind: 'status', status: 403 }, { kind: 'denied', status: 403 }],
    ['404', { kind: 'status', status: 404 }, { kind: 'failed', reason: 'rejected' }],
    ['429', { kind: 'status', status: 429 }, { kind: 'failed', reason: 'rejected' }],
    ['500', { kind: 'status', status: 500 }, { kind: 'failed', reason: 'rejected' }],
    ['HTML', { kind: 'html' }, { kind: 'failed', reason: 'protocol' }],
    [
      'JSON of something else',
      { kind: 'body', body: '{"results": {"success": "perhaps"}}' },
      { kind: 'failed', reason: 'protocol' },
    ],
    ['a truncated body', { kind: 'truncated' }, { kind: 'failed', reason: 'closed' }],
    ['a reset', { kind: 'reset' }, { kind: 'failed', reason: 'reset' }],
  ])('that answers with %s leaves the policy unknown', async (_, fault, expected) => {
    await using firewall = await bench.start();
    firewall.setFault(fault);
    const observation = await bench.observe(firewall);
    expect(observation).toMatchObject({
      source: '10.0.0.5',
      destination: 'fortitokenmobile.fortinet.com:443',
      ...expected,
    });
    expect(judged(observation)).toEqual([['unknown', null]]);
  });

  it.each<[string, HttpFault]>([
    ['is silent', { kind: 'silent' }],
    ['trickles', { kind: 'trickle', clock }],
  ])('that %s is given up in time', async (_, fault) => {
    await using firewall = await bench.start();
    firewall.setFault(fault);
    expect(await bench.observe(firewall, {}, { clock })).toMatchObject({ kind: 'failed', reason: 'timeout' });
  });

  it('refuses a wrong token', async () => {
    await using firewall = await bench.start();
    expect(await bench.observe(firewall, { token: { kind: 'env', name: 'WRONG' } })).toMatchObject({
      kind: 'denied',
      status: 401,
    });
  });

  it('has no such virtual domain', async () => {
    await using firewall = await bench.start();
    expect(await bench.observe(firewall, { vdom: 'dmz' })).toMatchObject({ kind: 'failed', reason: 'rejected' });
  });

  it('with the certificate of somebody else gets no token', async () => {
    await using firewall = await bench.start();
    expect(await bench.observe(firewall, { caFile: null })).toMatchObject({
      kind: 'failed',
      reason: 'tls',
      certificate: 'untrusted',
    });
    expect(firewall.requests).toEqual([]);
  });
});
