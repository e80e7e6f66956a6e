import { describe, expect, it } from 'vitest';
import { causeOf } from '../../../support/checks/diagnosis-of.ts';
import { timeline, type Timeline } from '../../../support/store/incident-timeline.ts';
import { HOUR, MINUTE, SECOND } from '../../../support/time/units.ts';
import { parseState } from '../../../../src/store/saved-state.ts';

const BLOCKED = causeOf('egress-blocked', { subject: 'a:443' });

function opened(): Timeline {
  const line = timeline().rounds(2, [BLOCKED]);
  line.heard();
  return line;
}

function acknowledge(line: Timeline): Timeline {
  return line.input({ kind: 'acknowledge', at: line.now, id: line.state.incidents[0]?.id ?? '', by: 'Ada\u202e' });
}

describe('an acknowledgement', () => {
  it('stops the reminders, and nothing else', () => {
    const line = acknowledge(opened()).wait(5 * HOUR);
    expect(line.tick().round([BLOCKED]).heard()).toEqual([]);
    expect(line.state.incidents[0]?.acknowledgement?.by).not.toContain('\u202e');
    line.wait(MINUTE).rounds(3, []);
    expect(line.heard()).toEqual(['resolved egress-blocked']);
  });

  it('is nothing without an open incident of that name', () => {
    const line = opened();
    const before = line.state;
    line.input({ kind: 'acknowledge', at: line.now, id: 'another', by: 'Ada' });
    expect(line.state).toEqual(before);
  });

  it('ends when the incident does', () => {
    const line = acknowledge(opened()).rounds(3, []);
    expect(line.state.incidents).toMatchObject([{ status: 'closed', acknowledgement: null }]);
    line.heard();
    line
      .wait(MINUTE)
      .rounds(2, [BLOCKED])
      .wait(5 * HOUR)
      .round([BLOCKED]);
    expect(line.heard()).toContain('reminder egress-blocked');
  });

  it('ends when the same cause becomes graver', () => {
    const line = timeline().rounds(2, [{ ...BLOCKED, severity: 'warning' }]);
    acknowledge(line).rounds(2, [BLOCKED]);
    expect(line.state.incidents).toMatchObject([{ status: 'open', acknowledgement: null }]);
    expect(line.heard()).toContain('changed egress-blocked');
  });

  it('goes on when the same cause becomes less grave, until it becomes graver again', () => {
    const line = acknowledge(opened()).rounds(2, [{ ...BLOCKED, severity: 'warning' }]);
    expect(line.state.incidents).toMatchObject([
      { cause: { severity: 'warning' }, acknowledgement: { at: expect.any(Number) } },
    ]);
    line.wait(5 * HOUR).round([{ ...BLOCKED, severity: 'warning' }]);
    expect(line.heard()).toEqual([]);
    line.rounds(1, [BLOCKED]);
    expect(line.state.incidents).toMatchObject([{ status: 'open', acknowledgement: null }]);
  });

  it('ends when the incident is understood otherwise', () => {
    const suspected = causeOf('tls-interception-suspected', { subject: 'a:443', confidence: 'suspected' });
    const line = acknowledge(timeline().rounds(2, [suspected])).rounds(3, [
      causeOf('tls-intercepted', { subject: 'a:443' }),
    ]);
    const [incident] = line.state.incidents;
    expect([incident?.cause.id, incident?.formerCauses.length]).toEqual(['tls-intercepted', 1]);
    expect(incident?.acknowledgement).toBeNull();
  });

  it('can be withdrawn: the reminder that was due comes', () => {
    const line = acknowledge(opened())
      .wait(5 * HOUR)
      .round([BLOCKED]);
    line.wait(SECOND).input({ kind: 'unacknowledge', at: line.now, id: line.state.incidents[0]?.id ?? '' });
    expect(line.heard()).toEqual(['reminder egress-blocked']);
  });
});

const SUSPECTED = causeOf('tls-interception-suspected', { subject: 'a:443', confidence: 'suspected' });
const CONFIRMED = causeOf('tls-intercepted', { subject: 'a:443' });
const SEEN = 'A capture of the own connection: intercepted';

function attached(line: Timeline, id = line.state.incidents[0]?.id ?? ''): Timeline {
  return line.input({ kind: 'attach', at: line.now, id, evidence: [SEEN] });
}

function evidence(line: Timeline): readonly (readonly string[])[] {
  return line.state.incidents.map(({ cause }) => cause.evidence);
}

describe('evidence that somebody attached', () => {
  it('is first among that of the cause, once, and changes nothing else', () => {
    const line = timeline().rounds(2, [SUSPECTED]);
    line.heard();
    const [before] = line.state.incidents;
    attached(attached(line));
    expect(line.heard()).toEqual([]);
    const cause = { ...SUSPECTED, evidence: [SEEN, ...SUSPECTED.evidence] };
    expect(line.state.incidents).toEqual([{ ...before, attached: [SEEN], cause }]);
  });

  it('stays while the incident lasts, through rounds, another cause and a restart, and is in what is told', () => {
    const line = attached(timeline().rounds(2, [SUSPECTED]))
      .rounds(2, [SUSPECTED])
      .rounds(3, [CONFIRMED]);
    expect(evidence(line)).toEqual([[SEEN, ...CONFIRMED.evidence]]);
    const stored = parseState(JSON.stringify(line.state))?.state;
    expect(stored).toEqual(line.state);
    line.state = stored ?? line.state;
    line.wait(5 * HOUR).round([CONFIRMED]);
    const last = line.told.at(-1);
    expect(last?.kind === 'incident' ? [last.event, last.incident.cause.evidence[0]] : null).toEqual([
      'reminder',
      SEEN,
    ]);
    expect(evidence(line)).toEqual([[SEEN, ...CONFIRMED.evidence]]);
  });

  it('is not of another time at which the fault is there', () => {
    const line = attached(timeline().rounds(2, [CONFIRMED]))
      .rounds(4, [])
      .wait(MINUTE)
      .rounds(2, [CONFIRMED]);
    expect(line.state.incidents).toMatchObject([{ status: 'open', attached: [] }]);
    expect(evidence(line)).toEqual([CONFIRMED.evidence]);
  });

  it('is nothing without an open incident of that name', () => {
    const line = timeline().rounds(2, [CONFIRMED]);
    const before = line.state;
    expect(attached(line, 'another').state).toEqual(before);
  });
});
