import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Incident, lastedText } from '../../../../src/engine/incident/incident.ts';
import { causeOf } from '../../../support/checks/diagnosis-of.ts';
import { START, timeline, type Timeline } from '../../../support/store/incident-timeline.ts';
import { HOUR, MINUTE, SECOND } from '../../../support/time/units.ts';
import { incidentOf } from '../../../support/notify/outbox-entry-of.ts';

const CAUSE = causeOf('egress-blocked');
const INTERVALS = { intervals: { reachability: 30 * SECOND } };

function only({ state: { incidents } }: Timeline): Incident {
  const [incident, other] = incidents;
  if (incident === undefined || other !== undefined) throw new Error(`${String(incidents.length)} incidents`);
  return incident;
}

/** Runs rounds at this interval, with the fault in those during an outage. */
function watched(line: Timeline, every: number, rounds: number, outages: readonly (readonly [number, number])[]): void {
  for (let index = 0; index < rounds; index += 1) {
    const time = line.now - START;
    line.round(outages.some(([from, until]) => time >= from && time < until) ? [CAUSE] : []).wait(every);
  }
}

describe('how long a fault lasted', () => {
  test('is the mean of the shortest and of the longest time that fits what was seen', () => {
    // Down from 52 s to 103 s, but seen only at 60 s and at 90 s.
    const line = timeline(INTERVALS);
    watched(line, 30 * SECOND, 8, [[52 * SECOND, 103 * SECOND]]);
    const incident = only(line);
    expect(incident).toMatchObject({
      status: 'closed',
      since: START + 60 * SECOND,
      lastSeen: START + 90 * SECOND,
      clear: { before: START + 30 * SECOND, after: START + 120 * SECOND },
    });
    expect(lastedText(incident)).toBe('about 1 min');
  });

  test('is within one interval of the truth, whenever it began and ended', () => {
    const outage = fc.tuple(fc.integer({ min: 6_000, max: 120_000 }), fc.integer({ min: 16_000, max: 3_600_000 }));
    fc.assert(
      fc.property(outage, ([begin, span]) => {
        const line = timeline({ intervals: { reachability: 5 * SECOND } });
        watched(line, 5 * SECOND, Math.ceil((begin + span) / 5_000) + 4, [[begin, begin + span]]);
        const { since, lastSeen, clear } = only(line);
        const mean = (lastSeen - since + (clear.after ?? NaN) - (clear.before ?? NaN)) / 2;
        expect(Math.abs(mean - span)).toBeLessThanOrEqual(5_000);
      }),
      { numRuns: 50 },
    );
  });

  test.each([
    ['there was no check before it', (line: Timeline) => line.rounds(3, [CAUSE]).rounds(3, [])],
    [
      'the last check before it was long before',
      (line: Timeline) => line.rounds(3, []).wait(HOUR).rounds(3, [CAUSE]).rounds(3, []),
    ],
    [
      'nothing could be judged before it',
      (line: Timeline) => {
        for (let index = 0; index < 10; index += 1) line.round([], { reachability: 'unknown' }).wait(30 * SECOND);
        return line.rounds(3, [CAUSE]).rounds(3, []);
      },
    ],
    [
      'the first check after it was long after',
      (line: Timeline) => line.rounds(3, []).rounds(3, [CAUSE]).wait(HOUR).rounds(3, []),
    ],
  ])('is told as the least that it can have been where %s', (_, watch) => {
    const incident = only(watch(timeline(INTERVALS)));
    expect(incident.status).toBe('closed');
    expect(lastedText(incident)).toBe('at least 1 min');
  });

  test('is told as unknown where it was seen once and nothing is known besides', () => {
    const incident = { ...incidentOf(CAUSE), since: START, lastSeen: START };
    expect(lastedText(incident)).toBe('an unknown time');
    expect(lastedText({ ...incident, clear: { before: START - SECOND, after: START + 2 * SECOND } })).toBe('about 2 s');
    // The clock was set back.
    expect(lastedText({ ...incident, clear: { before: START, after: START - MINUTE } })).toBe('about 1 s');
  });

  test('knows what a slower check shows by its own interval', () => {
    const slow = causeOf('license-on-peer');
    const line = timeline({ intervals: { 'license-assignment': 5 * MINUTE } });
    line
      .rounds(2, [], 5 * MINUTE)
      .rounds(2, [slow], 5 * MINUTE)
      .rounds(2, [], 5 * MINUTE);
    expect(lastedText(only(line))).toBe('about 10 min');
  });
});

describe('a fault that comes back after its all-clear', () => {
  const line = timeline(INTERVALS);
  watched(line, 30 * SECOND, 8, [[60 * SECOND, 120 * SECOND]]);
  const first = only(line);
  const [again, end] = [line.now - START, line.now - START + 90 * SECOND];
  watched(line, 30 * SECOND, 2, [[again, end]]);
  const second = only(line);

  test('begins anew, and keeps the times of before', () => {
    expect(first).toMatchObject({ status: 'closed', since: START + 60 * SECOND });
    expect(second).toMatchObject({
      id: first.id,
      status: 'open',
      since: START + again,
      causeSince: START + again,
      openedAt: START + again + 30 * SECOND,
      clear: { before: START + again - 30 * SECOND, after: null },
      earlier: [{ since: first.since, openedAt: first.openedAt, lastSeen: first.lastSeen, closedAt: first.closedAt }],
    });
  });

  test('lasts by itself', () => {
    watched(line, 30 * SECOND, 100, [[again, end]]);
    const over = only(line);
    expect(over.status).toBe('closed');
    expect([...over.earlier, over].map(lastedText)).toEqual(['about 1 min', 'about 1 min 30 s']);
  });
});
