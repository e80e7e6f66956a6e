import { describe, expect, test } from 'vitest';
import type { PreconditionState } from '../../../../src/engine/model.ts';
import { resume } from '../../../../src/engine/incident/resume.ts';
import { alertsOf } from '../../../../src/notify/channels/alertmanager.ts';
import { causeOf } from '../../../support/checks/diagnosis-of.ts';
import { AT_HQ } from '../../../support/checks/message-context.ts';
import { POLICY, timeline, type Timeline } from '../../../support/store/incident-timeline.ts';
import { HOUR, SECOND } from '../../../support/time/units.ts';

const FAULT = causeOf('appliance-unreachable', { subject: 'fac-2' });
const OTHER = causeOf('appliance-unreachable', { subject: 'fac-1' });

/** The configuration contains fac-1, and fac-2 while `line` has not been resumed. */
function running(policy: Parameters<typeof timeline>[0] = {}): Timeline {
  return timeline({ isConfigured: (subject) => subject.startsWith('fac-'), ...policy });
}

/** Continues in a new process, or under a new configuration that contains these subjects. */
function resumed(line: Timeline, ...subjects: readonly string[]): Timeline {
  const policy = { ...POLICY, isConfigured: (subject: string) => subjects.includes(subject) };
  line.heard();
  const step = resume(line.state, { now: line.now, lastRound: line.now - 30 * SECOND }, policy);
  line.state = step.state;
  return line.tick();
}

function alerts(line: Timeline): readonly boolean[] {
  return alertsOf(line.state, AT_HQ, line.now).map(({ firing }) => firing);
}

describe('before a round has checked an incident', () => {
  test.each<readonly [string, () => Timeline, readonly string[]]>([
    ['an incident that was never sent', () => mutedUntilNow(running()), ['firing appliance-unreachable']],
    [
      'a reminder that is due',
      () =>
        running()
          .rounds(2, [FAULT])
          .wait(4 * HOUR),
      ['reminder appliance-unreachable'],
    ],
  ])('nothing is sent about %s', (_, incident, due) => {
    expect(incident().tick().heard()).toEqual(expect.arrayContaining([...due]));
    const line = resumed(incident(), 'fac-2');
    expect(line.heard()).toEqual([]);
    expect(line.round([OTHER], { appliance: 'unknown' }).tick().heard()).toEqual([]);
    expect(line.round([FAULT]).heard()).toEqual(due);
  });

  test('nothing is sent about the end of an incident', () => {
    const line = running().rounds(2, [FAULT]);
    line.input({ kind: 'maintenance', at: line.now, active: true }).rounds(2, []);
    line.state = { ...line.state, maintenance: false };
    resumed(line, 'fac-2');
    expect(line.heard()).toEqual([]);
    expect(line.round([], { appliance: 'unknown' }).heard()).toEqual([]);
    expect(line.round([]).heard()).toEqual(['resolved appliance-unreachable']);
  });

  test('an alert that Alertmanager knows goes on, and no other begins', () => {
    expect(alerts(resumed(running().rounds(2, [FAULT]), 'fac-2'))).toEqual([true]);
    const line = resumed(mutedUntilNow(running()), 'fac-2');
    expect(alerts(line)).toEqual([]);
    expect(alerts(line.round([FAULT]))).toEqual([true]);
  });
});

/** Opens an incident during maintenance, which then ends without a notification. */
function mutedUntilNow(line: Timeline): Timeline {
  line.input({ kind: 'maintenance', at: line.now, active: true }).rounds(2, [FAULT]);
  line.state = { ...line.state, maintenance: false };
  return line;
}

describe('an incident whose subject is no longer configured', () => {
  test.each<PreconditionState>(['ok', 'unknown', 'blocked'])('ends with one message while the rest is %s', (state) => {
    const line = resumed(running().rounds(2, [FAULT]), 'fac-1');
    expect(line.heard()).toEqual(['resolved appliance-unreachable']);
    expect(line.state.incidents.map(({ status, subjectKind }) => [status, subjectKind])).toEqual([
      ['closed', 'removed'],
    ]);
    expect(alerts(line)).toEqual([false]);
    expect(line.round([], { appliance: state }).rounds(3, []).heard()).toEqual([]);
  });

  test('ends without a message if it was never sent', () => {
    expect(resumed(mutedUntilNow(running()), 'fac-1').heard()).toEqual([]);
  });

  test('stays open if its subject was never in the configuration, such as a licence', () => {
    const line = timeline().rounds(2, [FAULT]);
    expect(resumed(line, 'fac-1').state.incidents).toMatchObject([{ status: 'open', subjectKind: 'observed' }]);
  });

  test('ends as removed if its precondition is no longer configured', () => {
    const line = timeline().rounds(2, [FAULT]);
    line
      .round([], { appliance: 'not-configured' })
      .wait(30 * SECOND)
      .round([], { appliance: 'not-configured' });
    expect(line.state.incidents).toMatchObject([{ status: 'closed', subjectKind: 'removed' }]);
  });
});
