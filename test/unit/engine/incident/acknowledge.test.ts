import { describe, expect, it } from 'vitest';
import { causeOf } from '../../../support/checks/diagnosis-of.ts';
import { timeline, type Timeline } from '../../../support/store/incident-timeline.ts';
import { HOUR, MINUTE, SECOND } from '../../../support/time/units.ts';

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
