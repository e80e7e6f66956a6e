import { describe, expect, it } from 'vitest';
import { causeOf, diagnosisOf } from '../../../support/checks/diagnosis-of.ts';
import { HOUR, MINUTE, SECOND, timeline } from '../../../support/store/incident-timeline.ts';

const intercepted = causeOf('tls-intercepted');
const suspected = causeOf('tls-interception-suspected', { confidence: 'suspected' });
const egress = causeOf('egress-blocked');
const offline = causeOf('internet-unreachable', { subject: 'internet' });

describe('opening and closing', () => {
  it('opens after the confirmations and says so once', () => {
    const line = timeline().rounds(1, [intercepted]);
    expect(line.heard()).toEqual([]);
    expect(line.rounds(5, [intercepted]).heard()).toEqual(['firing tls-intercepted']);
  });

  it('forgets a candidate that was not there once', () => {
    expect(timeline().rounds(1, [intercepted]).rounds(1, []).rounds(1, [intercepted]).heard()).toEqual([]);
  });

  it('counts a fault from the first round that showed it', () => {
    const line = timeline();
    const first = line.now;
    line.rounds(2, [intercepted]);
    expect(line.state.incidents[0]).toMatchObject({ since: first, openedAt: first + 30 * SECOND });
  });

  it('closes after the recoveries and says so once', () => {
    const line = timeline().rounds(3, [intercepted]).rounds(1, []);
    expect(line.heard()).toEqual(['firing tls-intercepted']);
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
    const line = timeline()
      .rounds(1, [intercepted])
      .round([], { 'tls-genuine': 'unknown' })
      .wait(30 * SECOND)
      .rounds(1, [intercepted]);
    expect(line.heard()).toEqual(['firing tls-intercepted']);
    line.round([]).wait(30 * SECOND);
    for (let index = 0; index < 10; index += 1) line.round([], { 'tls-genuine': 'unknown' }).wait(30 * SECOND);
    expect(line.heard()).toEqual([]);
    expect(line.round([]).heard()).toEqual(['resolved tls-intercepted']);
  });

  it('takes a finding that could not be judged for its own subject only', () => {
    const mail = causeOf('mail-unreachable', { subject: 'mail-1:25' });
    const line = timeline().rounds(2, [mail]);
    const silent = diagnosisOf(line.now, []);
    const preconditions = silent.preconditions.map((status) =>
      status.id === 'mail'
        ? {
            ...status,
            findings: [
              {
                rule: 'r',
                subject: 'mail-1:25',
                claim: '',
                expected: '',
                actual: '',
                level: 'unknown' as const,
                suggests: null,
              },
            ],
          }
        : status,
    );
    for (let index = 0; index < 5; index += 1) {
      line.input({
        kind: 'diagnosis',
        diagnosis: { ...silent, at: line.wait(30 * SECOND).now, preconditions },
        fresh: null,
      });
    }
    expect(line.heard()).toEqual(['firing mail-unreachable']);
    expect(
      line
        .wait(30 * SECOND)
        .rounds(2, [])
        .heard(),
    ).toEqual(['resolved mail-unreachable']);
  });

  it('gives no all-clear for what became evidence of a graver cause of the same kind', () => {
    const service = causeOf('tls-intercepted', { subject: 'push.example.org:443', severity: 'warning' });
    const line = timeline().rounds(2, [service]);
    const grave = diagnosisOf(line.now, [intercepted]);
    const finding = {
      rule: 'r',
      subject: service.subject,
      claim: '',
      expected: '',
      actual: '',
      level: 'warning',
      suggests: 'tls-intercepted',
    } as const;
    const preconditions = grave.preconditions.map((status) =>
      status.id === 'tls-genuine' ? { ...status, findings: [finding] } : status,
    );
    for (let index = 0; index < 5; index += 1) {
      line.input({
        kind: 'diagnosis',
        diagnosis: { ...grave, at: line.wait(30 * SECOND).now, preconditions },
        fresh: null,
      });
    }
    expect(line.heard()).toEqual(['firing tls-intercepted', 'firing tls-intercepted']);
    expect(
      line
        .wait(30 * SECOND)
        .rounds(2, [])
        .heard(),
    ).toEqual(['resolved tls-intercepted', 'resolved tls-intercepted']);
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

  it('keeps the causes of other subjects apart', () => {
    const first = causeOf('mail-unreachable', { subject: 'mail-1:25' });
    const second = causeOf('mail-unreachable', { subject: 'mail-2:25' });
    const line = timeline().rounds(2, [first, second]);
    expect(line.heard()).toEqual(['firing mail-unreachable', 'firing mail-unreachable']);
    expect(line.rounds(3, [second]).heard()).toEqual(['resolved mail-unreachable']);
    expect(line.state.incidents.find(({ status }) => status === 'open')?.cause.subject).toBe('mail-2:25');
  });

  it('closes the incident of what is no longer configured', () => {
    const line = timeline().rounds(2, [causeOf('mail-unreachable')]);
    line.heard();
    line
      .round([], { mail: 'not-configured' })
      .wait(30 * SECOND)
      .round([], { mail: 'not-configured' });
    expect(line.heard()).toEqual(['resolved mail-unreachable']);
  });

  it('records information without telling anybody', () => {
    const line = timeline()
      .rounds(3, [causeOf('certificate-rotated', { severity: 'info' })])
      .rounds(3, []);
    expect(line.transitions).toEqual(['opened certificate-rotated', 'closed certificate-rotated']);
    expect(
      line
        .wait(9 * HOUR)
        .tick()
        .heard(),
    ).toEqual([]);
  });
});

describe('one fault, one incident', () => {
  it('goes on with the cause of a symptom that lasts, and says so at once', () => {
    const line = timeline().rounds(2, [egress]);
    expect(line.heard()).toEqual(['firing egress-blocked']);
    line.explained(6, offline, [egress]);
    expect(line.transitions).toEqual(['opened egress-blocked', 'changed internet-unreachable']);
    expect(line.state.incidents).toHaveLength(1);
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

  it('is not continued by less certainty, nor by another fault in its place', () => {
    const line = timeline().rounds(2, [intercepted]).rounds(3, [suspected]);
    expect(line.heard()).toEqual([
      'firing tls-intercepted',
      'firing tls-interception-suspected',
      'resolved tls-intercepted',
    ]);
    line.rounds(3, [causeOf('certificate-broken', { confidence: 'suspected' })]);
    expect(line.heard()).toEqual(['firing certificate-broken', 'resolved tls-interception-suspected']);
  });

  it('leaves what a deeper cause hides open, unsaid, until it can be judged', () => {
    const second = causeOf('egress-blocked', { subject: 'push.fortinet.com:443', severity: 'warning' });
    const line = timeline({ reminder: 10 * MINUTE }).rounds(2, [egress, second]);
    expect(line.heard()).toEqual(['firing egress-blocked', 'firing egress-blocked']);
    line.explained(60, offline, [egress]);
    expect(line.heard().filter((name) => name.endsWith('egress-blocked'))).toEqual([]);
    expect(line.rounds(3, []).heard()).toEqual(['resolved internet-unreachable', 'resolved egress-blocked']);
  });

  it('opens another incident when both causes are there', () => {
    const line = timeline()
      .rounds(2, [egress])
      .rounds(2, [egress, causeOf('license-on-peer', { subject: 'EFTM1' })]);
    expect(line.heard()).toEqual(['firing egress-blocked', 'firing license-on-peer']);
  });

  it('keeps the labels of Alertmanager when the cause becomes graver, and is silent when it falls and rises', () => {
    const low = causeOf('clock-skewed', { severity: 'warning' });
    const line = timeline()
      .rounds(2, [low])
      .rounds(1, [causeOf('clock-skewed')]);
    expect(line.heard()).toEqual(['firing clock-skewed', 'changed clock-skewed']);
    expect(line.state.incidents[0]?.formerCauses).toMatchObject([{ id: 'clock-skewed', severity: 'warning' }]);
    expect(
      line
        .rounds(2, [low])
        .rounds(2, [causeOf('clock-skewed')])
        .heard(),
    ).toEqual([]);
  });
});
