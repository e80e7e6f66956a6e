import { describe, expect, it } from 'vitest';

import { isFlapping } from '../../../../src/engine/incident/incident.ts';
import { causeOf } from '../../../support/diagnosis-of.ts';
import { HOUR, MINUTE, SECOND, START, timeline } from '../../../support/incident-timeline.ts';

const intercepted = causeOf('tls-intercepted');

describe('flapping', () => {
  it('gives at most four mails for twelve flips in thirty seconds', () => {
    const line = timeline();
    for (let flip = 0; flip < 12; flip += 1) line.rounds(5, flip % 2 === 0 ? [intercepted] : [], SECOND / 2);
    line.rounds(80, [], 30 * SECOND);
    const heard = line.heard();
    expect(heard).toEqual([
      'firing tls-intercepted',
      'resolved tls-intercepted',
      'firing tls-intercepted',
      'resolved tls-intercepted',
    ]);
  });

  it('stays open for longer, and says that it flaps, when it comes back again and again', () => {
    const line = timeline().rounds(2, [intercepted]);
    for (let index = 0; index < 3; index += 1) line.rounds(1, []).rounds(1, [intercepted]);
    const [incident] = line.state.incidents;
    expect(incident !== undefined && isFlapping(incident)).toBe(true);
    line.heard();
    expect(line.rounds(28, []).heard()).toEqual([]);
    expect(line.rounds(3, []).heard()).toEqual(['resolved tls-intercepted']);
  });

  it.each([
    [1, 1],
    [2, 2],
    [2, 20],
    [10, 10],
    [20, 2],
    [28, 28],
    [40, 5],
    [90, 15],
  ])('tells one end more at most when it is there for %i minutes and away for %i, again and again', (down, up) => {
    const line = timeline({ reminder: 0 });
    for (let turn = 0; turn < 6; turn += 1) line.rounds(2 * down, [intercepted]).rounds(2 * up, []);
    expect(line.heard()).toEqual(['firing tls-intercepted', 'resolved tls-intercepted', 'firing tls-intercepted']);
    const [{ lastSeen } = { lastSeen: 0 }] = line.state.incidents;
    line.rounds(70, []);
    expect(line.heard()).toEqual(['resolved tls-intercepted']);
    expect(line.told.at(-1)?.at).toBe(lastSeen + 30 * MINUTE);
    expect(line.transitions.filter((transition) => transition.startsWith('opened'))).toHaveLength(1);
  });

  it('is none where the fault stays away for longer than the window: each time ends at once', () => {
    const line = timeline({ reminder: 0 });
    for (let turn = 0; turn < 3; turn += 1) line.rounds(20, [intercepted]).rounds(70, []);
    expect(line.heard()).toEqual(
      Array.from({ length: 3 }, () => ['firing', 'resolved'])
        .flat()
        .map((event) => `${event} tls-intercepted`),
    );
    expect(line.told.map(({ at }) => at).filter((_, index) => index % 2 === 1)).toEqual(
      [0, 1, 2].map((turn) => START + (turn * 90 + 21) * 30 * SECOND),
    );
  });

  it('opens the same incident again when the fault is back within the window, and a new one later', () => {
    const line = timeline().rounds(2, [intercepted]).rounds(2, []).rounds(2, [intercepted]);
    expect(line.transitions).toEqual(['opened tls-intercepted', 'closed tls-intercepted', 'reopened tls-intercepted']);
    expect(line.state.incidents).toHaveLength(1);
    line.rounds(70, []).wait(HOUR).rounds(2, [intercepted]);
    expect(line.transitions.at(-1)).toBe('opened tls-intercepted');
    expect(line.state.incidents).toHaveLength(1);
  });
});
