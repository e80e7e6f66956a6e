import { describe, expect, it } from 'vitest';
import { causeOf } from '../../../support/checks/diagnosis-of.ts';
import { HOUR, timeline } from '../../../support/store/incident-timeline.ts';

const intercepted = causeOf('tls-intercepted');

describe('reminders', () => {
  it('come at their distance for as long as the incident is open', () => {
    const line = timeline().rounds(2, [intercepted]);
    line.heard();
    expect(
      line
        .wait(3 * HOUR)
        .tick()
        .heard(),
    ).toEqual([]);
    expect(line.wait(HOUR).tick().tick().heard()).toEqual(['reminder tls-intercepted']);
    expect(
      line
        .wait(4 * HOUR)
        .tick()
        .heard(),
    ).toEqual(['reminder tls-intercepted']);
    line.rounds(2, []);
    line.heard();
    expect(
      line
        .wait(9 * HOUR)
        .tick()
        .heard(),
    ).toEqual([]);
  });

  it('can be switched off', () => {
    expect(
      timeline({ reminder: 0 })
        .rounds(2, [intercepted])
        .wait(90 * HOUR)
        .tick()
        .heard(),
    ).toEqual(['firing tls-intercepted']);
  });

  it('are not put off by a wall clock that is set back', () => {
    const line = timeline().rounds(2, [intercepted]);
    line.wait(-100 * HOUR).tick();
    line.heard();
    expect(
      line
        .wait(4 * HOUR)
        .tick()
        .heard(),
    ).toEqual(['reminder tls-intercepted']);
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
    line.wait(HOUR).tick();
    expect(line.heard()).toEqual(['firing mail-unreachable', 'digest 6']);
  });

  it('tells each end of what was told, and leaves the places of the hour to others', () => {
    const line = timeline({ maxPerHour: 2 }).rounds(2, [intercepted]).rounds(2, []);
    expect(line.heard()).toEqual(['firing tls-intercepted', 'resolved tls-intercepted']);
    line.rounds(2, fifty.slice(0, 1)).rounds(2, []);
    expect(line.heard()).toEqual(['firing mail-unreachable', 'resolved mail-unreachable']);
    line.rounds(2, fifty.slice(1, 2)).rounds(2, []);
    expect(line.heard()).toEqual([]);
  });

  it('tells in the digest what came and went meanwhile', () => {
    const line = timeline({ maxPerHour: 1 })
      .rounds(2, [intercepted])
      .rounds(2, [intercepted, ...fifty.slice(0, 1)])
      .rounds(4, [intercepted]);
    line.heard();
    line.wait(HOUR).tick();
    expect(line.heard()).toEqual(['digest 1']);
    expect(line.told.at(-1)).toMatchObject({
      items: [{ event: 'resolved', incident: { cause: { subject: 'mail-0:25' } } }],
    });
  });
});

describe('maintenance and silences', () => {
  it('lets incidents go on and tells at the end what is still open', () => {
    const line = timeline();
    line
      .input({ kind: 'maintenance', at: line.now, active: true })
      .rounds(4, [intercepted, causeOf('clock-skewed')])
      .rounds(2, [intercepted]);
    expect(line.transitions).toEqual(['opened tls-intercepted', 'opened clock-skewed', 'closed clock-skewed']);
    expect(line.heard()).toEqual([]);
    line.input({ kind: 'maintenance', at: line.now, active: false });
    expect(line.heard()).toEqual(['firing tls-intercepted']);
    expect(
      line
        .wait(2 * HOUR)
        .tick()
        .heard(),
    ).toEqual([]);
  });

  it('tells the end of what was told before, once the maintenance is over', () => {
    const line = timeline().rounds(2, [intercepted]);
    line.input({ kind: 'maintenance', at: line.now, active: true }).rounds(3, []);
    expect(line.heard()).toEqual(['firing tls-intercepted']);
    expect(
      line
        .wait(2 * HOUR)
        .input({ kind: 'maintenance', at: line.now, active: false })
        .heard(),
    ).toEqual(['resolved tls-intercepted']);
  });

  it('silences one cause until its time is over', () => {
    const line = timeline();
    line.input({
      kind: 'silence',
      at: line.now,
      silence: {
        cause: 'tls-intercepted',
        subject: null,
        from: line.now,
        until: line.now + HOUR,
        by: 'ops',
        comment: 'known',
      },
    });
    line.rounds(2, [intercepted, causeOf('clock-skewed')]);
    expect(line.heard()).toEqual(['firing clock-skewed']);
    expect(line.wait(HOUR).tick().heard()).toEqual(['firing tls-intercepted']);
    expect(line.state.silences).toEqual([]);
  });

  it('silences from a planned time on', () => {
    const line = timeline();
    const silence = {
      cause: null,
      subject: null,
      from: line.now + HOUR,
      until: line.now + 3 * HOUR,
      by: '',
      comment: '',
    };
    line.input({ kind: 'silence', at: line.now, silence }).rounds(2, [intercepted]);
    expect(line.heard()).toEqual(['firing tls-intercepted']);
    line.wait(HOUR).rounds(2, [intercepted, causeOf('clock-skewed')]);
    expect(line.heard()).toEqual([]);
    expect(
      line
        .wait(2 * HOUR)
        .tick()
        .heard(),
    ).toEqual(['firing clock-skewed']);
  });

  it('ends a silence by its name', () => {
    const line = timeline();
    const silence = {
      cause: null,
      subject: null,
      from: line.now,
      until: line.now + HOUR,
      by: 'ops\r\nBcc: x',
      comment: '',
    };
    line.input({ kind: 'silence', at: line.now, silence }).rounds(2, [intercepted]);
    expect(line.heard()).toEqual([]);
    expect(line.state.silences[0]?.by).not.toContain('\n');
    line.input({ kind: 'unsilence', at: line.now, id: line.state.silences[0]?.id ?? '' });
    expect(line.heard()).toEqual(['firing tls-intercepted']);
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
