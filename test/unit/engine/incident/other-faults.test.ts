import { describe, expect, it } from 'vitest';
import { causeOf } from '../../../support/checks/diagnosis-of.ts';
import { START, timeline } from '../../../support/store/incident-timeline.ts';
import { MINUTE, SECOND } from '../../../support/time/units.ts';

const intercepted = causeOf('tls-intercepted');

describe('another fault', () => {
  const hijacked = causeOf('answer-hijacked', { subject: 'fortitokenmobile.fortinet.com' });

  it('is told at once when it takes the place of the first, which is told to end when it can be judged', () => {
    const line = timeline().rounds(4, [intercepted]).rounds(2, [hijacked]);
    expect(line.heard()).toEqual(['firing tls-intercepted', 'firing answer-hijacked']);
    expect(line.rounds(20, [hijacked]).heard()).toEqual([]);
    expect(line.rounds(2, []).heard()).toEqual(['resolved tls-intercepted', 'resolved answer-hijacked']);
  });

  it('is told at once after some flapping of the first', () => {
    const line = timeline().rounds(2, [intercepted]);
    for (let index = 0; index < 4; index += 1) line.rounds(1, []).rounds(1, [intercepted]);
    expect(line.heard()).toEqual(['firing tls-intercepted']);
    expect(line.rounds(2, [hijacked]).heard()).toEqual(['firing answer-hijacked']);
  });

  it('has its own times, as has the first', () => {
    const line = timeline();
    const start = line.now;
    line
      .rounds(4, [intercepted])
      .rounds(4, [causeOf('egress-blocked', { consequences: [] })])
      .rounds(2, []);
    expect(line.state.incidents).toMatchObject([
      { cause: { id: 'tls-intercepted' }, since: start, lastSeen: start + 90 * SECOND },
      { cause: { id: 'egress-blocked' }, since: start + 120 * SECOND, lastSeen: start + 210 * SECOND },
    ]);
  });

  it('is named by the all-clear of the first while it is open', () => {
    const line = timeline()
      .rounds(2, [intercepted])
      .rounds(3, [causeOf('license-on-peer', { subject: 'EFTM1' })]);
    expect(line.heard().at(-1)).toBe('resolved tls-intercepted');
    expect(line.told.at(-1)).toMatchObject({
      stillOpen: [{ id: 'license-on-peer', subject: 'EFTM1', severity: 'critical' }],
    });
  });

  it('elsewhere does not delay the end of the first while it is being confirmed', () => {
    const mail = causeOf('mail-unreachable', { severity: 'warning', subject: 'mail:25' });
    const line = timeline().rounds(2, [intercepted]).rounds(1, []).rounds(1, [mail]);
    expect(line.heard()).toEqual(['firing tls-intercepted', 'resolved tls-intercepted']);
    const same = timeline()
      .rounds(2, [intercepted])
      .rounds(1, [])
      .rounds(1, [causeOf('tls-blocked')]);
    expect(same.heard()).toEqual(['firing tls-intercepted']);
  });

  it('becomes one with the first when that returns, and has one end with it', () => {
    const line = timeline().rounds(4, [intercepted]).rounds(4, [hijacked]).rounds(4, [intercepted]);
    expect(line.heard()).toEqual(['firing tls-intercepted', 'firing answer-hijacked']);
    expect(line.transitions).toEqual([
      'opened tls-intercepted',
      'opened answer-hijacked',
      'merged answer-hijacked',
      'changed tls-intercepted',
    ]);
    const [first, second] = line.state.incidents;
    expect(first).toMatchObject({
      status: 'open',
      merged: [second?.id],
      formerCauses: [{ id: 'tls-intercepted' }, { id: 'answer-hijacked' }],
    });
    expect(second).toMatchObject({ status: 'closed', mergedInto: first?.id });
    for (let index = 0; index < 4; index += 1) line.rounds(4, [hijacked]).rounds(4, [intercepted]);
    expect(line.heard()).toEqual([]);
    expect(line.rounds(40, []).heard()).toEqual(['resolved tls-intercepted']);
    expect(line.told.at(-1)).toMatchObject({
      incident: { formerCauses: expect.arrayContaining([expect.objectContaining({ id: 'answer-hijacked' })]) },
    });
  });

  it('becomes one with a first that was told to be over, which is named again', () => {
    const blocked = causeOf('tls-blocked');
    const line = timeline().rounds(4, [intercepted]).rounds(4, [blocked]).rounds(4, [intercepted]);
    expect(line.heard()).toEqual([
      'firing tls-intercepted',
      'firing tls-blocked',
      'resolved tls-intercepted',
      'changed tls-intercepted',
    ]);
    expect(line.rounds(70, []).heard()).toEqual(['resolved tls-intercepted']);
  });

  it('elsewhere stays one of its own, however they come and go', () => {
    const mail = causeOf('mail-unreachable', { severity: 'warning', subject: 'mail:25' });
    const line = timeline().rounds(4, [intercepted]).rounds(4, [mail]).rounds(4, [intercepted]);
    expect(line.transitions.filter((name) => name.startsWith('merged'))).toEqual([]);
  });
});

describe('an intermittent fault', () => {
  it('opens when every second round shows it, is told once, and ends once', () => {
    const line = timeline();
    for (let index = 0; index < 200; index += 1) line.rounds(1, index % 2 === 0 ? [intercepted] : []);
    expect(line.heard()).toEqual(['firing tls-intercepted']);
    expect(line.state.incidents).toMatchObject([{ since: START }]);
    expect(line.rounds(60, []).heard()).toEqual(['resolved tls-intercepted']);
    expect(line.told.at(-1)?.at).toBeGreaterThanOrEqual(START + 199 * 30 * SECOND + 14 * MINUTE);
  });

  it('is not made of single rounds that fail now and then', () => {
    const line = timeline();
    for (let index = 0; index < 400; index += 1) line.rounds(1, index % 4 === 0 ? [intercepted] : []);
    expect(line.transitions).toEqual([]);
  });
});
