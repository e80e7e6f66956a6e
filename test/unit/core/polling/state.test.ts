import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FirewallEvidence, LogEvent } from '../../../../src/core/polling/log-event.ts';
import {
  emptyPolling,
  isSufficientEvidence,
  type PollingState,
  recordEvents,
  resumePolling,
} from '../../../../src/core/polling/state.ts';
import { after, ftm, MINUTE, report, T0, WINDOW } from '../../../support/checks/polling-report.ts';

const heard = (at: number, appliance: string | null = 'fac-1'): LogEvent => ({ ...WORD, appliance, at });
const WORD = { kind: 'heard', reliable: false } as const;

describe('recordEvents and pollingReport', () => {
  test('know every configured appliance before anything was heard', () => {
    const silent = {
      errors: [],
      errorsWithinHour: 0,
      lastLineAt: null,
      reliableLineAt: null,
      silent: false,
      silentFor: null,
    };
    expect(report(emptyPolling(WINDOW), T0)).toEqual({
      window: WINDOW,
      silentAfter: 60 * MINUTE,
      appliances: ['fac-1', 'fac-2'].map((name) => ({ name, ...silent })),
      firewallEvidence: [],
    });
  });

  test('count by signature, most severe first, with first, last, rate and the last line', () => {
    const state = after([ftm('alpha', T0, 5), ftm('beta', T0 + MINUTE), ftm('beta', T0 + 3 * MINUTE, 2)]);
    const [unit] = report(state, T0 + 5 * MINUTE).appliances;
    const last = T0 + 3 * MINUTE;
    expect(unit?.lastLineAt).toBe(last);
    expect(unit?.errors).toMatchObject([
      {
        signature: 'beta',
        severity: 'critical',
        count: 3,
        firstAt: T0 + MINUTE,
        lastAt: last,
        sample: `line of ${String(last)}`,
      },
      { signature: 'alpha', severity: 'warning', count: 5, firstAt: T0, lastAt: T0 },
    ]);
  });

  test.each([
    { name: 'at the end of the window', passed: WINDOW, count: 1 },
    { name: 'just behind it', passed: WINDOW + 1, count: undefined },
  ])('count an error $name', ({ passed, count }) => {
    expect(report(after([ftm('beta', T0)]), T0 + passed).appliances[0]?.errors[0]?.count).toBe(count);
  });

  test('forget what left the window while errors go on', () => {
    const events = Array.from({ length: 120 }, (_, minute) => ftm('beta', T0 + minute * MINUTE, 10));
    const error = report(after(events), T0 + 119 * MINUTE).appliances[0]?.errors[0];
    expect(error?.count).toBe(160);
    expect(error?.firstAt).toBe(T0 + 104 * MINUTE);
  });

  test('count all errors of the last hour apart from the window, to a minute', () => {
    const events = Array.from({ length: 120 }, (_, minute) =>
      ftm(minute % 2 === 0 ? 'beta' : 'alpha', T0 + minute * MINUTE, 10),
    );
    const state = after([...events, heard(T0 + 119 * MINUTE)]);
    const counts = [119, 130, 178, 179, 400].map(
      (minute) => report(state, T0 + minute * MINUTE).appliances[0]?.errorsWithinHour,
    );
    expect(counts).toEqual([610, 500, 20, 10, 0]);
  });

  test('put events that come late where they belong', () => {
    const inOrder = [ftm('beta', T0), ftm('beta', T0 + MINUTE), ftm('beta', T0 + 10 * MINUTE)];
    expect(report(after(inOrder.toReversed()), T0 + 11 * MINUTE)).toEqual(report(after(inOrder), T0 + 11 * MINUTE));
  });

  test('name lines without an owner only when there were any', () => {
    const { appliances } = report(after([ftm('beta', T0, 1, null)]), T0);
    expect(appliances.map(({ name }) => name)).toEqual(['fac-1', 'fac-2', 'unnamed']);
  });

  test('leave out signatures that the catalogue no longer knows', () => {
    expect(report(after([ftm('gone', T0)]), T0).appliances[0]?.errors).toEqual([]);
  });

  test.each<readonly [string, readonly LogEvent[], after: number, since: number | null, boolean]>([
    ['it never spoke', [], 1000, 0, false],
    ['it spoke lately', [heard(T0)], 60, 0, false],
    ['it has been quiet', [heard(T0)], 61, 0, true],
    ['nobody listened until lately', [heard(T0)], 90, 89, false],
    ['nobody listens', [heard(T0)], 90, null, false],
  ])('call an appliance silent, or not, when %s', (_, ...[events, minutes, since, silent]) => {
    const listeningSince = since === null ? null : T0 + since * MINUTE;
    const { appliances } = report(after(events), T0 + minutes * MINUTE, { listeningSince });
    expect(appliances[0]?.silent).toBe(silent);
  });

  test.each([
    { name: 'appliances have names: it may be a firewall', appliances: ['fac-1'], silent: [false, false] },
    { name: 'no appliance has a name', appliances: [], silent: [true] },
  ])('wait for lines without an owner only where they are all there is: $name', ({ appliances, silent }) => {
    const seen = report(after([heard(T0, null)]), T0 + 61 * MINUTE, { appliances }).appliances;
    expect(seen.map((appliance) => appliance.silent)).toEqual(silent);
  });

  test('go on after a restart, with another window too', () => {
    const state = after(Array.from({ length: 10 }, (_, minute) => ftm('beta', T0 + minute * MINUTE)));
    const stored = JSON.parse(JSON.stringify(state)) as PollingState;
    expect(resumePolling(stored, WINDOW)).toEqual(state);
    const wider = resumePolling(stored, 4 * WINDOW);
    const seen = report(recordEvents(wider, [ftm('beta', T0 + 10 * MINUTE)]), T0 + 12 * MINUTE, { window: 4 * WINDOW })
      .appliances[0]?.errors[0];
    expect(seen).toMatchObject({ count: 11, firstAt: T0, lastAt: T0 + 10 * MINUTE });
  });

  test('stay small whatever happens', () => {
    const event = fc.record({
      id: fc.constantFrom('alpha', 'beta'),
      at: fc.integer({ min: 0, max: 10_000 * MINUTE }),
      count: fc.integer({ min: 1, max: 1000 }),
    });
    fc.assert(
      fc.property(fc.array(event, { minLength: 100, maxLength: 400 }), (events) => {
        const state = after(events.map(({ id, at, count }) => ftm(id, T0 + at, count)));
        for (const log of Object.values(state.appliances['fac-1']?.signatures ?? {}))
          expect(log.buckets.length).toBeLessThanOrEqual(61);
      }),
      { numRuns: 30 },
    );
  });

  test('count exactly what the window holds, to a bucket', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 40 * MINUTE }), { maxLength: 60 }), (offsets) => {
        const now = T0 + 40 * MINUTE;
        const times = offsets.map((offset) => T0 + offset);
        const counted = report(after(times.map((at) => ftm('beta', at))), now).appliances[0]?.errors[0]?.count ?? 0;
        const atLeast = times.filter((at) => at >= now - WINDOW).length;
        const atMost = times.filter((at) => at >= now - WINDOW - WINDOW / 60).length;
        expect(counted).toBeGreaterThanOrEqual(atLeast);
        expect(counted).toBeLessThanOrEqual(atMost);
      }),
    );
  });

  test('keep hostile names apart from what objects inherit', () => {
    const state = after([ftm('beta', T0, 1, '__proto__'), ftm('constructor', T0)]);
    expect(
      report(state, T0, { appliances: ['__proto__', 'toString'] }).appliances.map(({ errors }) => errors.length),
    ).toEqual([1, 0]);
  });
});

describe('firewall evidence', () => {
  const EVIDENCE: FirewallEvidence = {
    device: 'fgt',
    policy: '20',
    profile: 'deep',
    action: 'resign-as-untrusted',
    sourceAddress: '10.0.0.5',
    destinationAddress: '173.243.138.84',
    hostName: null,
  };
  const seen = (at: number, changes: Partial<FirewallEvidence> = {}): Extract<LogEvent, { evidence: unknown }> => ({
    kind: 'firewall-evidence',
    ofUnit: true,
    signature: 'alpha',
    at,
    count: 1,
    evidence: { ...EVIDENCE, ...changes },
    line: 'l',
    reliable: false,
  });

  test('is gathered by policy and profile, most recent first, within the window', () => {
    const state = after([
      seen(T0),
      seen(T0 + MINUTE, { sourceAddress: '10.0.0.6' }),
      seen(T0 + 2 * MINUTE, { policy: '21' }),
    ]);
    expect(report(state, T0 + 3 * MINUTE).firewallEvidence).toMatchObject([
      { evidence: { policy: '21' }, count: 1 },
      { evidence: { policy: '20', sourceAddress: '10.0.0.6' }, count: 2, firstAt: T0, lastAt: T0 + MINUTE },
    ]);
    expect(report(state, T0 + 100 * MINUTE).firewallEvidence).toEqual([]);
  });

  test.each([
    { name: 'a datagram', events: [seen(T0)], expected: [{ firstAt: T0, count: 1, reliable: false }] },
    {
      name: 'a line over TCP, then a datagram',
      events: [{ ...seen(T0), reliable: true }, seen(T0 + 1)],
      expected: [
        { count: 1, lastAt: T0, reliable: true },
        { count: 1, lastAt: T0 + 1, reliable: false },
      ],
    },
    {
      name: 'a datagram long after a line over TCP',
      events: [{ ...seen(T0 - 2 * WINDOW), reliable: true }, seen(T0)],
      expected: [{ firstAt: T0, count: 1, reliable: false }],
    },
  ])('that came as $name', ({ events, expected }) => {
    expect(report(after(events), T0 + MINUTE).firewallEvidence).toMatchObject(expected);
  });

  test('is bounded, and what anybody can write displaces nothing else', () => {
    const policies = Array.from({ length: 100 }, (_, index) => seen(T0 + index, { policy: String(index) }));
    const { firewall, unprovenFirewall } = after([{ ...seen(T0), reliable: true }, ...policies]);
    expect(firewall.map(({ evidence: { policy } }) => policy)).toEqual(['20']);
    expect(unprovenFirewall).toMatchObject({ moments: [T0, T0 + 99], sightings: { length: 4 } });
    expect(after(policies.map((event) => ({ ...event, reliable: true }))).firewall).toHaveLength(16);
  });

  test('of the traffic of others is kept apart', () => {
    const others = Array.from({ length: 100 }, (_, index) => ({
      ...seen(T0 + index * MINUTE, { policy: String(index) }),
      reliable: index % 2 === 0,
      ofUnit: false,
    }));
    const state = after([{ ...seen(T0), reliable: true }, seen(T0), ...others]);
    expect(state.firewall).toHaveLength(1);
    expect(state.unprovenFirewall).toMatchObject({ moments: [T0, T0], sightings: { length: 1 } });
    expect(state.otherTraffic).toHaveLength(4);
    const { firewallEvidence } = report(after([seen(T0), { ...seen(T0 + 1), ofUnit: false }]), T0 + MINUTE);
    expect(firewallEvidence).toMatchObject([{ ofUnit: true }, { ofUnit: false, reliable: false }]);
  });

  test('that anybody can write is corroborated by a line that it has displaced since', () => {
    const policies = Array.from({ length: 10 }, (_, index) => seen(T0 + MINUTE + index, { policy: String(index) }));
    const { firewallEvidence } = report(after([seen(T0), ...policies]), T0 + 2 * MINUTE);
    expect(firewallEvidence.map((admission) => isSufficientEvidence([admission]))).toEqual([true, true, true, true]);
  });
});

describe('whether errors are corroborated', () => {
  const errorAt = (events: readonly LogEvent[], now: number): boolean =>
    isSufficientEvidence(report(after(events), now).appliances.flatMap(({ errors }) => errors));
  const overTcp = (at: number): LogEvent => ({ ...ftm('beta', at), reliable: true });

  test.each([
    { name: 'one datagram', events: [ftm('beta', T0)], expected: false },
    { name: 'one that says it came often', events: [ftm('beta', T0, 1000)], expected: false },
    { name: 'two within a moment', events: [ftm('beta', T0), ftm('beta', T0 + 20_000)], expected: false },
    { name: 'two moments', events: [ftm('beta', T0), ftm('beta', T0 + 30_000)], expected: true },
    { name: 'two moments, the later first', events: [ftm('beta', T0 + 30_000), ftm('beta', T0)], expected: true },
    { name: 'one over TCP', events: [overTcp(T0)], expected: true },
    { name: 'one over TCP, then a datagram', events: [overTcp(T0), ftm('beta', T0 + 1000)], expected: true },
    { name: 'a datagram long after another', events: [ftm('beta', T0 - 2 * WINDOW), ftm('beta', T0)], expected: false },
    {
      name: 'a datagram long after a line over TCP',
      events: [overTcp(T0 - 2 * WINDOW), ftm('beta', T0)],
      expected: false,
    },
  ])('$name: $expected', ({ events, expected }) => {
    expect(errorAt(events, T0 + MINUTE)).toBe(expected);
  });

  test('stays so while lines go on that are far apart', () => {
    const lines = [0, 10, 20, 30, 40].map((minute) => ftm('beta', T0 + minute * MINUTE));
    for (const [index, now] of [11, 16, 21, 29, 36, 44].entries()) {
      const until = T0 + now * MINUTE;
      const events = lines.filter((event) => event.kind === 'ftm' && event.at <= until);
      expect([index, errorAt(events, until)]).toEqual([index, true]);
    }
  });
});
