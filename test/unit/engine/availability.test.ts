import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isoTime, zoneOf } from '../../../src/core/time-text.ts';
import { START } from '../../support/store/incident-timeline.ts';
import { DAY, HOUR, MINUTE, SECOND } from '../../support/time/units.ts';
import {
  type AvailabilityPeriod,
  availabilityByDay,
  availabilityByMonth,
  availabilityOfDays,
  availabilityShare,
  knownFor,
  readinessAt,
  unknownSince,
  withAvailability,
  type StateSpan,
} from '../../../src/engine/availability.ts';

const BERLIN = zoneOf('Europe/Berlin');
const UTC = zoneOf('UTC');

function at(text: string): number {
  return Date.parse(text);
}

function span(state: string, from: string, until: string): StateSpan {
  return { precondition: 'mail', state, from: at(from), until: at(until) };
}

/** Returns one to eight states that begin within this time. */
function spansWithin(min: number, max: number): fc.Arbitrary<readonly StateSpan[]> {
  const state = fc.constantFrom('ok', 'warning', 'broken', 'blocked', 'unknown', 'not-configured', 'waiting', 'newer');
  const one = fc.record({ state, from: fc.integer({ min, max }), lasts: fc.integer({ min: 1, max: 40 * DAY }) });
  return fc.array(
    one.map(({ state: name, from, lasts }) => ({ precondition: 'mail', state: name, from, until: from + lasts })),
    { minLength: 1, maxLength: 8 },
  );
}

/** Returns the periods as `NAME ready/not ready/unknown`, in hours, with a `~` for partial ones. */
function told(periods: readonly AvailabilityPeriod[]): readonly string[] {
  return periods.map(({ name, ready, notReady, unknown, partial }) => {
    const hours = [ready, notReady, unknown].map((time) => String(time / HOUR)).join('/');
    return `${name}${partial ? '~' : ''} ${hours}`;
  });
}

test.each([
  ['twice a minute', 30 * SECOND, 10 * MINUTE],
  ['every quarter of an hour', 15 * MINUTE, 45 * MINUTE + 15 * SECOND],
] as const)('a round %s counts until three are missing', (_, period, expected) => {
  const counts = knownFor(period, 15 * SECOND);
  expect(counts).toBe(expected);
  const readinessAfter = (age: number): string => readinessAt(START + age, { at: START, ready: 'ready' }, counts);
  expect([readinessAfter(counts), readinessAfter(counts + 1), readinessAt(START, null, counts)]).toEqual([
    'ready',
    'unknown',
    'unknown',
  ]);
});

describe('availabilityByMonth()', () => {
  test('evaluates each time like a diagnosis', () => {
    const on = (state: string, from: number, until: number): StateSpan => ({
      precondition: 'mail',
      state,
      from: at('2026-11-02T00:00:00Z') + from * HOUR,
      until: at('2026-11-02T00:00:00Z') + until * HOUR,
    });
    const spans = [
      on('ok', 0, 10),
      // Broken for 2 h, of which the dependent precondition is blocked for 1 h and another unknown for 3 h.
      on('ok', 0, 4),
      on('broken', 4, 6),
      on('blocked', 5, 6),
      on('unknown', 5, 8),
      on('waiting', 0, 10),
      on('warning', 9, 10),
      // Nobody looked for 2 h.
      on('ok', 12, 13),
    ];
    const until = at('2026-11-02T13:00:00Z');
    expect(told(availabilityByMonth(spans, { since: 0, until, zone: UTC }))).toEqual(['2026~ 7/2/4', '2026-11~ 7/2/4']);
  });

  test('begins months and years at midnight of the zone, and has the hour that a change of the clocks adds', () => {
    const spans = [span('ok', '2026-09-30T22:00:00Z', '2027-01-31T23:00:00Z')];
    const until = at('2027-01-31T23:00:00Z');
    expect(told(availabilityByMonth(spans, { since: 0, until, zone: BERLIN }))).toEqual([
      `2027~ ${String(31 * 24)}/0/0`,
      `2027-01 ${String(31 * 24)}/0/0`,
      `2026~ ${String(92 * 24 + 1)}/0/0`,
      `2026-12 ${String(31 * 24)}/0/0`,
      `2026-11 ${String(30 * 24)}/0/0`,
      `2026-10 ${String(31 * 24 + 1)}/0/0`,
    ]);
    const [, january] = availabilityByMonth(spans, { since: 0, until, zone: BERLIN });
    expect(january).toMatchObject({ from: at('2026-12-31T23:00:00Z'), until });
  });

  test('leaves out what is not stored completely any more, and what was before the first round', () => {
    const spans = [span('ok', '2026-08-01T00:00:00Z', '2026-10-01T00:00:00Z')];
    const until = at('2026-10-01T00:00:00Z');
    const since = at('2026-08-31T00:00:00Z');
    expect(told(availabilityByMonth(spans, { since, until, zone: UTC }))).toEqual([
      '2026~ 744/0/0',
      '2026-09 720/0/0',
      '2026-08~ 24/0/0',
    ]);
    expect(told(availabilityByMonth(spans.slice(0, 1), { since: 0, until, zone: UTC })).at(-1)).toBe('2026-08 744/0/0');
    expect(availabilityByMonth([], { since, until, zone: UTC })).toEqual([]);
  });

  const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'America/Havana', 'Pacific/Apia', 'Pacific/Chatham');
  const spans = spansWithin(at('2011-10-01T00:00:00Z'), at('2012-04-15T00:00:00Z'));
  const back = fc.integer({ min: 0, max: 100 * DAY });

  test('adds up, without gaps and overlaps, in any zone', () => {
    fc.assert(
      fc.property(spans, back, zone, (all, before, timezone) => {
        const until = Math.max(...all.map((one) => one.until));
        const [since, first] = [until - before, Math.min(...all.map(({ from }) => from))];
        const periods = availabilityByMonth(all, { since, until, zone: zoneOf(timezone) });
        const months = periods.filter(({ name }) => name.length === 7).toReversed();
        for (const { from, until: to, ready, notReady, unknown } of periods)
          expect(ready + notReady + unknown).toBe(to - from);
        const begin = Math.max(since, first);
        expect(months.map(({ from }) => from)).toEqual([
          ...(begin < until ? [begin] : []),
          ...months.slice(0, -1).map((month) => month.until),
        ]);
        expect(months.at(-1)?.until ?? until).toBe(until);
        // In the zone, the first instant of each month and the last have its name.
        const zoned = zoneOf(timezone);
        for (const { name, from, until: to } of months)
          expect([zoned.local(from), zoned.local(to - 1)].map((text) => text.slice(0, 7))).toEqual([name, name]);
        for (const year of periods.filter(({ name }) => name.length === 4)) {
          const own = months.filter(({ name }) => name.startsWith(year.name));
          expect(own.reduce((sum, { ready }) => sum + ready, 0)).toBe(year.ready);
        }
      }),
    );
  });

  test('agrees with a look at single instants', () => {
    fc.assert(
      fc.property(spans, (all) => {
        // Whole hours, so that the sum over instants is exact.
        const whole = all.map(({ precondition, state, from, until }) => ({
          precondition,
          state,
          from: Math.floor(from / HOUR) * HOUR,
          until: Math.ceil(until / HOUR) * HOUR,
        }));
        const [from, until] = [Math.min(...whole.map((one) => one.from)), Math.max(...whole.map((one) => one.until))];
        let [ready, notReady] = [0, 0];
        for (let time = from; time < until; time += HOUR) {
          const states = whole.filter((one) => one.from <= time && time < one.until).map(({ state }) => state);
          if (states.includes('broken')) notReady += HOUR;
          else if (states.length > 0 && !states.includes('unknown')) ready += HOUR;
        }
        const years = availabilityByMonth(whole, { since: 0, until, zone: UTC }).filter(
          ({ name }) => name.length === 4,
        );
        expect(years.reduce((sum, year) => sum + year.ready, 0)).toBe(ready);
        expect(years.reduce((sum, year) => sum + year.notReady, 0)).toBe(notReady);
      }),
      { numRuns: 30 },
    );
  });
});

test('availabilityOfDays() has the days of the zone, also those with a change of the clocks', () => {
  const until = at('2026-10-26T12:00:00Z');
  const spans = [
    span('ok', '2026-10-24T10:00:00Z', '2026-10-26T12:00:00Z'),
    span('warning', '2026-10-24T22:00:00Z', '2026-10-25T23:00:00Z'),
  ];
  const days = availabilityOfDays(spans, { now: until, until, zone: BERLIN }, 4);
  expect(days.map((day) => [day.name, day.ready / HOUR, day.unknown / HOUR, day.hasWarning])).toEqual([
    ['2026-10-23', 0, 24, false],
    ['2026-10-24', 12, 12, false],
    ['2026-10-25', 25, 0, true],
    ['2026-10-26', 13, 0, false],
  ]);
});

test.each([
  ['2026-11-24T13:09:00Z', '2026-08-27', '2026-11-24', '2026-10-25', 25],
  ['2026-05-24T12:09:00Z', '2026-02-24', '2026-05-24', '2026-03-29', 23],
  // The last round was yesterday.
  ['2026-11-23T23:00:20Z', '2026-08-27', '2026-11-24', '2026-10-25', 25],
])('availabilityOfDays() ends today, at %s', (time, first, today, changed, hours) => {
  const now = at(time);
  const until = now - 30_000;
  const days = availabilityOfDays(
    [span('ok', '2026-01-01T00:00:00Z', isoTime(until))],
    { now, until, zone: BERLIN },
    90,
  );
  expect([days.length, days[0]?.name, days.at(-1)?.name]).toEqual([90, first, today]);
  const lengths = new Map(days.slice(0, -1).map(({ name, from, until: end }) => [name, (end - from) / HOUR]));
  expect([...lengths].filter(([, length]) => length !== 24)).toEqual([[changed, hours]]);
  expect(days.slice(0, -2).every((day) => day.ready === day.until - day.from)).toBe(true);
});

test.each([
  [null, [['ok', 1, 9]]],
  [null, [['unknown', 1, 8]]],
  [
    3,
    [
      ['ok', 1, 3],
      ['unknown', 3, 9],
      ['unknown', 5, 9],
    ],
  ],
  // Until 4:00, activation did not work.
  [
    4,
    [
      ['unknown', 3, 9],
      ['broken', 2, 4],
    ],
  ],
  // Waiting for the first input does not count.
  [
    5,
    [
      ['unknown', 5, 9],
      ['waiting', 3, 9],
    ],
  ],
] as const)('unknownSince() is hour %s of %j', (expected, states) => {
  const spans = states.map(([state, from, until]) => ({
    precondition: 'mail',
    state,
    from: from * HOUR,
    until: until * HOUR,
  }));
  const since = unknownSince(spans, 9 * HOUR);
  expect(since === null ? null : since / HOUR).toBe(expected);
});

describe('availabilityByDay()', () => {
  const on = (day: number, state: string, from: number, hours: number): StateSpan => ({
    precondition: 'mail',
    state,
    from: day * DAY + from * HOUR,
    until: day * DAY + (from + hours) * HOUR,
  });

  test.each<[string, readonly StateSpan[], string]>([
    ['a day without trouble', [on(1, 'ok', 0, 20), on(1, 'warning', 20, 4)], '1: 1 of 24 h'],
    [
      'two faults one after the other',
      [on(1, 'ok', 0, 24), on(1, 'broken', 0, 3), on(1, 'broken', 6, 3)],
      '1: 0.75 of 24 h',
    ],
    ['a daemon that was stopped for most of the day', [on(1, 'ok', 0, 1), on(1, 'broken', 1, 1)], '1: 0.5 of 2 h'],
    ['a state that is unknown beside a known one', [on(1, 'ok', 0, 24), on(1, 'unknown', 0, 18)], '1: 1 of 6 h'],
    ['a day of which nothing is known', [on(1, 'unknown', 0, 24)], ''],
    [
      'a state that continues into the next day',
      [on(1, 'ok', 0, 12), on(1, 'broken', 12, 30)],
      '1: 0.5 of 24 h, 2: 0 of 18 h',
    ],
  ])('%s', (_name, states, expected) => {
    const days = availabilityByDay(states, { from: 0, until: 3 * DAY, span: DAY });
    const told = days.map(
      ({ day, share, knownMs }) => `${String(day / DAY)}: ${String(share)} of ${String(knownMs / HOUR)} h`,
    );
    expect(told.join(', ')).toBe(expected);
  });
});

test('a chart, a summary and the table tell the same availability of the same time', () => {
  const states = spansWithin(0, 20 * DAY);
  fc.assert(
    fc.property(states, (all) => {
      const [from, until] = [Math.min(...all.map((one) => one.from)), Math.max(...all.map((one) => one.until))];
      const [summary] = withAvailability([{ from, until }], all);
      const [year] = availabilityByMonth(all, { since: from, until, zone: UTC });
      const days = availabilityByDay(all, { from, until, span: DAY });
      expect(year).toMatchObject({ ready: summary?.ready, notReady: summary?.notReady, unknown: summary?.unknown });
      const known = days.reduce((sum, { knownMs }) => sum + knownMs, 0);
      const ready = days.reduce((sum, { share, knownMs }) => sum + share * knownMs, 0);
      expect(known).toBe((summary?.ready ?? 0) + (summary?.notReady ?? 0));
      expect(ready).toBeCloseTo(summary?.ready ?? 0, 3);
    }),
  );
});

describe('availabilityShare()', () => {
  test.each([
    [3, 1, 9, 0.75],
    [0, 1, 0, 0],
    [0, 0, 5, null],
  ])('of %d ready, %d not ready and %d unknown is %s', (ready, notReady, unknown, expected) => {
    const period = { name: '2026', from: 0, until: 1, ready, notReady, unknown, partial: false };
    expect(availabilityShare(period)).toBe(expected);
  });
});
