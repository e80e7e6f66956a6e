import { describe, expect, test } from 'vitest';
import type { Cause } from '../../../../src/engine/model.ts';
import { causeOf, diagnosisOf } from '../../../support/checks/diagnosis-of.ts';
import { timeline, type Timeline } from '../../../support/store/incident-timeline.ts';
import { MINUTE, SECOND } from '../../../support/time/units.ts';

const SHUT = causeOf('egress-blocked', { confidence: 'suspected' });
const DOWN = causeOf('license-server-down', { precondition: 'reachability', confidence: 'suspected' });
const DENIED: Cause = { ...SHUT, confidence: 'confirmed', evidence: ['Policy 5 denies the connection.'] };

/** Runs a round and revises its diagnosis seconds later. */
function revised(line: Timeline, seen: readonly Cause[], later: readonly Cause[]): Timeline {
  const at = line.now;
  line.round(seen).wait(14 * SECOND);
  return line.input({ kind: 'revision', at: line.now, diagnosis: diagnosisOf(at, later) }).wait(16 * SECOND);
}

describe('a round that is judged again by a late answer', () => {
  test('confirms nothing again: what one round showed, however often it is judged, is one round', () => {
    const line = timeline();
    line.round([SHUT]);
    const diagnosis = diagnosisOf(line.now, [SHUT]);
    for (let times = 0; times < 5; times += 1) line.wait(SECOND).input({ kind: 'revision', at: line.now, diagnosis });
    expect(line.told).toEqual([]);
    expect(line.state.incidents).toEqual([]);
    expect(line.state.candidates).toMatchObject([{ cause: { id: 'egress-blocked' }, streak: 1 }]);
  });

  test('passes its look on to what it turned out to be', () => {
    const line = revised(timeline(), [SHUT], [DOWN]);
    expect(line.heard()).toEqual([]);
    expect(line.state.candidates).toMatchObject([{ cause: { id: 'license-server-down' }, streak: 1 }]);
    line.round([DOWN]);
    expect(line.heard()).toEqual(['firing license-server-down']);
  });

  test('changes the incident that was open for it, and tells so once', () => {
    const line = timeline().rounds(1, [SHUT]);
    revised(line, [SHUT], [DOWN]);
    expect(line.heard()).toEqual(['firing egress-blocked', 'changed license-server-down']);
    expect(line.transitions).toEqual(['opened egress-blocked', 'changed license-server-down']);
    // The next round is again earlier than the answer, and then the answer is always too late.
    revised(line, [SHUT], [DOWN]);
    for (let times = 0; times < 4; times += 1) line.round([SHUT]).wait(30 * SECOND);
    line.rounds(4, [DOWN]);
    expect(line.heard()).toEqual([]);
    expect(line.state.incidents.filter(({ status }) => status === 'open')).toHaveLength(1);
  });

  test('gives the same cause its better evidence, and tells nobody', () => {
    const line = timeline().rounds(1, [SHUT]);
    revised(line, [SHUT], [DENIED]);
    expect(line.heard()).toEqual(['firing egress-blocked']);
    expect(line.state.incidents).toMatchObject([
      { cause: { confidence: 'confirmed', evidence: ['Policy 5 denies the connection.'] }, presence: 'seen' },
    ]);
  });

  test('is told with that round where two witnesses agree by now', () => {
    const line = timeline();
    const at = line.now;
    line.round([SHUT]).wait(14 * SECOND);
    const { id, subject } = DENIED;
    const diagnosis = { ...diagnosisOf(at, [DENIED]), corroborated: [{ id, subject }] };
    line.input({ kind: 'revision', at: line.now, diagnosis });
    expect(line.heard()).toEqual(['firing egress-blocked']);
    expect(line.state.candidates).toEqual([]);
  });

  test('ends nothing', () => {
    const line = timeline().rounds(2, [SHUT]).wait(MINUTE);
    for (let times = 0; times < 5; times += 1) {
      const at = line.now;
      line.round([SHUT]).input({ kind: 'revision', at, diagnosis: diagnosisOf(at, []) });
      line.wait(30 * SECOND);
    }
    expect(line.heard()).toEqual(['firing egress-blocked']);
    expect(line.state.incidents).toMatchObject([{ status: 'open', presence: 'seen', streak: 0 }]);
  });

  test('leaves an incident alone that the round did not show', () => {
    const line = timeline().rounds(2, [SHUT]);
    const before = line.round([]).state;
    line.input({ kind: 'revision', at: line.now, diagnosis: diagnosisOf(line.now, [DOWN]) });
    expect(line.state.incidents).toEqual(before.incidents);
  });
});
