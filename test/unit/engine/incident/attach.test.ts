import { describe, expect, it } from 'vitest';
import { parseState, stateText } from '../../../../src/store/saved-state.ts';
import { causeOf } from '../../../support/checks/diagnosis-of.ts';
import { timeline, type Timeline } from '../../../support/store/incident-timeline.ts';
import { HOUR, MINUTE } from '../../../support/time/units.ts';

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
    const stored = parseState(stateText(line.state))?.state;
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
