import { describe, expect, it } from 'vitest';
import { causeOf } from '../../../support/checks/diagnosis-of.ts';
import { timeline, type Timeline } from '../../../support/store/incident-timeline.ts';
import { HOUR } from '../../../support/time/units.ts';

const intercepted = causeOf('tls-intercepted');

describe('reminders', () => {
  it('come at their distance for as long as the incident is open', () => {
    const line = timeline().rounds(2, [intercepted]);
    line.heard();
    expect(line.later(3 * HOUR).heard()).toEqual([]);
    expect(line.later(HOUR).tick().heard()).toEqual(['reminder tls-intercepted']);
    expect(line.later(4 * HOUR).heard()).toEqual(['reminder tls-intercepted']);
    line.rounds(2, []).heard();
    expect(line.later(9 * HOUR).heard()).toEqual([]);
  });

  it('can be switched off', () => {
    const line = timeline({ reminder: 0 }).rounds(2, [intercepted]);
    expect(line.later(90 * HOUR).heard()).toEqual(['firing tls-intercepted']);
  });
});

describe('many at once', () => {
  const fifty = Array.from({ length: 50 }, (_, index) =>
    causeOf('mail-unreachable', {
      subject: `mail-${String(index)}:25`,
      severity: index === 30 ? 'critical' : 'warning',
    }),
  );

  it('tells fifty causes in one mail about the gravest and a digest', () => {
    const line = timeline().rounds(2, fifty);
    expect(line.heard()).toEqual(['firing mail-unreachable', 'digest 49']);
    expect(line.told[0]).toMatchObject({ incident: { cause: { subject: 'mail-30:25' } } });
    expect(line.rounds(2, []).heard()).toEqual(['resolved mail-unreachable', 'digest 49']);
  });

  it('turns what is beyond the hourly limit into a digest when the hour has room again', () => {
    const line = timeline({ maxPerHour: 3 });
    for (const cause of fifty.slice(0, 10))
      line.rounds(2, [...line.state.incidents.map((incident) => incident.cause), cause]);
    expect(line.heard()).toEqual(['firing mail-unreachable', 'firing mail-unreachable', 'firing mail-unreachable']);
    expect(line.later(HOUR).heard()).toEqual(['firing mail-unreachable', 'digest 6']);
  });

  it('tells each end of what was told, and leaves the places of the hour to others', () => {
    const line = timeline({ maxPerHour: 2 }).rounds(2, [intercepted]).rounds(2, []);
    expect(line.heard()).toEqual(['firing tls-intercepted', 'resolved tls-intercepted']);
    line.rounds(2, fifty.slice(0, 1)).rounds(2, []);
    expect(line.heard()).toEqual(['firing mail-unreachable', 'resolved mail-unreachable']);
    expect(line.rounds(2, fifty.slice(1, 2)).rounds(2, []).heard()).toEqual([]);
  });

  it('holds back no change of the cause that was undone', () => {
    const held = (line: Timeline): readonly boolean[] => line.state.incidents.map(({ awaitsDigest }) => awaitsDigest);
    const warned = { subject: 'b:25', severity: 'warning' } as const;
    const [down, slow] = [causeOf('mail-unreachable', warned), causeOf('mail-slow', warned)];
    const line = timeline({ maxPerHour: 1 }).rounds(2, [down]).rounds(3, [slow]);
    expect(held(line)).toEqual([true]);
    expect(held(line.rounds(3, [down]))).toEqual([false]);
    expect(line.later(HOUR).heard()).toEqual(['firing mail-unreachable']);
  });

  it('tells in the digest what came and went meanwhile', () => {
    const line = timeline({ maxPerHour: 1 })
      .rounds(2, [intercepted])
      .rounds(2, [intercepted, ...fifty.slice(0, 1)])
      .rounds(4, [intercepted]);
    line.heard();
    expect(line.later(HOUR).heard()).toEqual(['digest 1']);
    expect(line.told.at(-1)).toMatchObject({
      items: [{ event: 'resolved', incident: { cause: { subject: 'mail-0:25' } } }],
    });
  });
});

describe('hostile text', () => {
  it('is bounded before it is kept', () => {
    const evil = 'x\r\nBcc: all@example.org\r\n<script>'.repeat(1_000);
    const line = timeline().rounds(2, [
      causeOf('tls-intercepted', { subject: evil, evidence: Array.from({ length: 500 }, () => evil) }),
    ]);
    const saved = JSON.stringify(line.state);
    expect(saved.length).toBeLessThan(20_000);
    expect(saved).not.toMatch(/[\r\n]|\\[rn]/u);
    expect(line.rounds(2, []).heard()).toEqual(['firing tls-intercepted', 'resolved tls-intercepted']);
  });

  it('cannot open more incidents than any configuration names', () => {
    const many = Array.from({ length: 250 }, (_, index) => causeOf('mail-unreachable', { subject: String(index) }));
    expect(timeline().rounds(2, many).state.incidents).toHaveLength(200);
  });
});
