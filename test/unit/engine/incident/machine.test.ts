import { describe, expect, it } from 'vitest';
import { causeOf, diagnosisOf } from '../../../support/checks/diagnosis-of.ts';
import { timeline } from '../../../support/store/incident-timeline.ts';
import { HOUR, MINUTE, SECOND } from '../../../support/time/units.ts';

const intercepted = causeOf('tls-intercepted');
const suspected = causeOf('tls-interception-suspected', { confidence: 'suspected' });
const egress = causeOf('egress-blocked');
const offline = causeOf('internet-unreachable', { subject: 'internet' });

describe('opening and closing', () => {
  it('opens after the confirmations, closes after the recoveries, and says so once', () => {
    const line = timeline().rounds(1, [intercepted]);
    expect(line.heard()).toEqual([]);
    expect(line.rounds(5, [intercepted]).rounds(1, []).heard()).toEqual(['firing tls-intercepted']);
    expect(line.rounds(4, []).heard()).toEqual(['resolved tls-intercepted']);
    expect(line.transitions).toEqual(['opened tls-intercepted', 'closed tls-intercepted']);
  });

  it('sends what an outage makes critical after the outage, and nothing if the outage is not confirmed', () => {
    const calm = causeOf('license-expires-in-7-days', { subject: 'EFTM000000000001', severity: 'warning' });
    const urgent = { ...calm, severity: 'critical' } as const;
    const line = timeline().rounds(3, [calm]);
    expect(line.heard()).toEqual(['firing license-expires-in-7-days']);
    expect(line.rounds(1, [intercepted, urgent]).rounds(3, [calm]).heard()).toEqual([]);
    expect(line.rounds(2, [intercepted, urgent]).heard()).toEqual(['firing tls-intercepted']);
    expect(line.rounds(3, [intercepted, urgent]).heard()).toEqual(['changed license-expires-in-7-days']);
    expect(line.rounds(4, [calm]).rounds(3, [calm]).heard()).toEqual(['resolved tls-intercepted']);
  });

  it('neither confirms nor recovers in a round that could not judge', () => {
    const unknown = { 'tls-genuine': 'unknown' } as const;
    const line = timeline()
      .rounds(1, [intercepted])
      .round([], unknown)
      .wait(30 * SECOND)
      .rounds(1, [intercepted]);
    expect(line.heard()).toEqual(['firing tls-intercepted']);
    line.rounds(1, []);
    for (let index = 0; index < 10; index += 1) line.round([], unknown).wait(30 * SECOND);
    expect(line.heard()).toEqual([]);
    expect(line.round([]).heard()).toEqual(['resolved tls-intercepted']);
  });

  it('does not confirm with an observation that was seen before', () => {
    const line = timeline();
    const diagnosis = diagnosisOf(line.now, [causeOf('license-on-peer', { subject: 'EFTM1' })]);
    for (let index = 0; index < 5; index += 1) line.input({ kind: 'diagnosis', diagnosis, fresh: ['internet'] });
    expect(line.heard()).toEqual([]);
    for (let index = 0; index < 2; index += 1)
      line.input({ kind: 'diagnosis', diagnosis, fresh: ['license-assignment'] });
    expect(line.heard()).toEqual(['firing license-on-peer']);
  });

  it('records information without telling anybody', () => {
    const line = timeline()
      .rounds(3, [causeOf('certificate-rotated', { severity: 'info' })])
      .rounds(3, []);
    expect(line.transitions).toEqual(['opened certificate-rotated', 'closed certificate-rotated']);
    expect(line.later(9 * HOUR).heard()).toEqual([]);
  });
});

describe('one fault, one incident', () => {
  it('goes on with the cause of a symptom that lasts, and says so at once', () => {
    const line = timeline().rounds(2, [egress]);
    expect(line.heard()).toEqual(['firing egress-blocked']);
    line.explained(6, offline, [egress]);
    expect(line.transitions).toEqual(['opened egress-blocked', 'changed internet-unreachable']);
    expect(line.heard()).toEqual(['changed internet-unreachable']);
    expect(line.rounds(5, []).heard()).toEqual(['resolved internet-unreachable']);
  });

  it('goes back to the cause that it had before, and says no more', () => {
    const line = timeline().rounds(2, [egress]).explained(2, offline, [egress]).rounds(4, [egress]);
    expect(line.transitions).toEqual([
      'opened egress-blocked',
      'changed internet-unreachable',
      'changed egress-blocked',
    ]);
    expect(line.heard()).toEqual(['firing egress-blocked', 'changed internet-unreachable']);
    expect(line.rounds(5, []).heard()).toEqual(['resolved egress-blocked']);
  });

  it('settles a suspicion, and gives no all-clear meanwhile', () => {
    const line = timeline({ confirmations: 4, recoveries: 1 });
    const start = line.now;
    line.rounds(4, [suspected]).rounds(6, [intercepted]);
    expect(line.heard()).toEqual(['firing tls-interception-suspected', 'changed tls-intercepted']);
    expect(line.state.incidents).toMatchObject([
      {
        status: 'open',
        since: start,
        cause: { id: 'tls-intercepted' },
        causeSince: start + 2 * MINUTE,
        formerCauses: [{ id: 'tls-interception-suspected', since: start, until: start + 90 * SECOND }],
      },
    ]);
  });

  it('leaves what a deeper cause hides open, unsaid, until it can be judged', () => {
    const second = causeOf('egress-blocked', { subject: 'push.fortinet.com:443', severity: 'warning' });
    const line = timeline({ reminder: 10 * MINUTE }).rounds(2, [egress, second]);
    expect(line.heard()).toEqual(['firing egress-blocked', 'firing egress-blocked']);
    line.explained(60, offline, [egress]);
    expect(line.heard().filter((name) => name.endsWith('egress-blocked'))).toEqual([]);
    expect(line.rounds(3, []).heard()).toEqual(['resolved internet-unreachable', 'resolved egress-blocked']);
  });

  it('keeps the labels of Alertmanager when the cause becomes graver, and is silent when it falls and rises', () => {
    const [low, high] = [causeOf('clock-skewed', { severity: 'warning' }), causeOf('clock-skewed')];
    const line = timeline().rounds(2, [low]).rounds(1, [high]);
    expect(line.heard()).toEqual(['firing clock-skewed', 'changed clock-skewed']);
    expect(line.state.incidents[0]?.formerCauses).toMatchObject([{ id: 'clock-skewed', severity: 'warning' }]);
    expect(line.rounds(2, [low]).rounds(2, [high]).heard()).toEqual([]);
  });
});
