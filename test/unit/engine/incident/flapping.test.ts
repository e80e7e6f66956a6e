import { describe, expect, it } from 'vitest';

import { causeOf } from '../../../support/checks/diagnosis-of.ts';
import { START, timeline } from '../../../support/store/incident-timeline.ts';
import { HOUR, MINUTE, SECOND } from '../../../support/time/units.ts';

const intercepted = causeOf('tls-intercepted');
const PAIR = ['firing tls-intercepted', 'resolved tls-intercepted'] as const;

const pairs = (count: number): readonly string[] => Array.from({ length: count }, () => PAIR).flat();

describe('outages of one target', () => {
  it.each([1, 2, 5])('close with the second good round each, when there were %i in two hours', (count) => {
    const line = timeline();
    for (let outage = 0; outage < count; outage += 1)
      line.rounds(6, [intercepted], 5 * SECOND).rounds(6, [], 5 * SECOND);
    expect(line.heard()).toEqual(pairs(count));
    expect(line.told.map(({ at }) => at - START)).toEqual(
      Array.from({ length: count }, (_, outage) => [
        outage * MINUTE + 5 * SECOND,
        outage * MINUTE + 35 * SECOND,
      ]).flat(),
    );
  });

  it('give six mails and one end more for twelve flips, and the last incident says why it stays open', () => {
    const line = timeline();
    for (let flip = 0; flip < 24; flip += 1) line.rounds(5, flip % 2 === 0 ? [intercepted] : [], SECOND / 2);
    expect(line.heard()).toEqual([...pairs(5), 'firing tls-intercepted']);
    expect(line.told.at(-1)).toMatchObject({ incident: { flapping: true } });
    const [{ lastSeen } = { lastSeen: 0 }] = line.state.incidents;
    expect(line.rounds(40, []).heard()).toEqual(['resolved tls-intercepted']);
    expect(line.told.at(-1)?.at).toBeGreaterThanOrEqual(lastSeen + 15 * MINUTE);
    expect(line.told.at(-1)?.at).toBeLessThan(lastSeen + 15 * MINUTE + 30 * SECOND);
  });

  it('count with rounds between which it was back without an end', () => {
    const line = timeline().rounds(2, [intercepted]);
    for (let index = 0; index < 5; index += 1) line.rounds(1, []).rounds(1, [intercepted]);
    line.heard();
    expect(line.state.incidents).toMatchObject([{ flapping: true }]);
    expect(line.rounds(29, []).heard()).toEqual([]);
    expect(line.rounds(2, []).heard()).toEqual(['resolved tls-intercepted']);
  });

  it.each([
    [1, 1],
    [2, 2],
    [10, 10],
    [20, 2],
  ])('end five times, and then once for all that follow, at %i minutes down and %i up for hours', (down, up) => {
    const line = timeline({ reminder: 0 });
    for (let turn = 0; turn < 12; turn += 1) line.rounds(2 * down, [intercepted]).rounds(2 * up, []);
    expect(line.heard()).toEqual([...pairs(5), 'firing tls-intercepted']);
    const [{ lastSeen } = { lastSeen: 0 }] = line.state.incidents;
    expect(line.rounds(40, []).heard()).toEqual(['resolved tls-intercepted']);
    expect(line.told.at(-1)?.at).toBe(lastSeen + 15 * MINUTE);
    expect(line.transitions.filter((transition) => transition.startsWith('opened'))).toHaveLength(1);
  });

  it.each([
    [2, 20],
    [28, 28],
    [20, 70],
  ])('end each time where the target works for long enough in between: %i minutes down and %i up', (down, up) => {
    const line = timeline({ reminder: 0 });
    for (let turn = 0; turn < 12; turn += 1) line.rounds(2 * down, [intercepted]).rounds(2 * up, []);
    expect(line.heard()).toEqual(pairs(12));
  });

  it('open the same incident again within half an hour, and a new one later', () => {
    const line = timeline().rounds(2, [intercepted]).rounds(2, []).rounds(2, [intercepted]);
    expect(line.transitions).toEqual(['opened tls-intercepted', 'closed tls-intercepted', 'reopened tls-intercepted']);
    expect(line.state.incidents).toHaveLength(1);
    line.rounds(70, []).rounds(2, [intercepted]);
    expect(line.transitions.at(-1)).toBe('opened tls-intercepted');
    expect(
      line
        .rounds(2, [])
        .wait(3 * HOUR)
        .tick().state.incidents,
    ).toEqual([]);
  });
});
