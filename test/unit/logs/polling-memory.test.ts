import { describe, expect, test } from 'vitest';
import { emptyPolling, recordEvent } from '../../../src/core/polling/state.ts';
import { restorePolling } from '../../../src/logs/polling-memory.ts';

const WINDOW = 900_000;

describe('restorePolling', () => {
  test('brings back what was remembered', () => {
    const evidence = { device: 'd', policy: '1', profile: null, action: 'a', sourceAddress: null, destinationAddress: null, hostName: 'h' };
    const events = [
      { kind: 'heard', appliance: 'fac-1', at: 1000 },
      { kind: 'ftm', appliance: null, signature: 'x', at: 2000, count: 3, line: 'l', source: 'udp' },
      { kind: 'firewall-evidence', signature: 'y', at: 3000, count: 1, evidence, line: 'l', source: 'udp' },
    ] as const;
    const state = events.reduce(recordEvent, emptyPolling(WINDOW));
    expect(restorePolling(JSON.stringify(state), WINDOW)).toEqual(state);
  });

  test.each([null, '', 'null', '[]', '{"version":2}', '{"version":1,"bucketMs":0,"appliances":{},"firewall":[]}'])(
    'begins anew with %s',
    (stored) => {
      expect(restorePolling(stored, WINDOW)).toEqual(emptyPolling(WINDOW));
    },
  );
});
