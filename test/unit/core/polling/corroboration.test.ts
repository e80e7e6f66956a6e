import { describe, expect, test } from 'vitest';
import { isCorroborated } from '../../../../src/core/polling/state.ts';
import type { LogEvent } from '../../../../src/core/polling/log-event.ts';
import { after, ftm, MINUTE, report, T0, WINDOW } from '../../../support/checks/polling-report.ts';

describe('whether errors are corroborated', () => {
  const errorAt = (events: readonly LogEvent[], now: number): boolean =>
    isCorroborated(report(after(events), now).appliances.flatMap(({ errors }) => errors));
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
