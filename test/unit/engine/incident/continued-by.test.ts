import { describe, expect, test } from 'vitest';
import type { Cause } from '../../../../src/engine/model.ts';
import { continuedBy } from '../../../../src/engine/incident/machine.ts';
import type { Incident } from '../../../../src/engine/incident/incident.ts';
import { roundView, type RoundView } from '../../../../src/engine/incident/round-view.ts';
import { CHECKS } from '../../../../src/checks/registry.ts';
import { causeOf, diagnosisOf } from '../../../support/checks/diagnosis-of.ts';
import { START } from '../../../support/store/incident-timeline.ts';
import { formerCauseOf, incidentOf } from '../../../support/notify/outbox-entry-of.ts';

const suspected = causeOf('tls-interception-suspected', { confidence: 'suspected' });
const confirmed = causeOf('tls-intercepted');
const part = causeOf('egress-partly-blocked', { severity: 'warning', consequences: [] });
const whole = causeOf('egress-blocked', { consequences: [] });
const offline = causeOf('internet-unreachable', { subject: 'internet' });
const egress = causeOf('egress-blocked');
const elsewhere = { subject: 'other.example:443' };

function view(causes: readonly Cause[], symptoms: readonly Cause[] = []): RoundView {
  return roundView({ diagnosis: diagnosisOf(START, causes, {}, symptoms), fresh: null, checks: CHECKS });
}

describe('an open incident goes on with', () => {
  test.each<readonly [string, Cause, Cause, boolean, readonly Cause[]]>([
    ['what a suspicion turned out to be', suspected, confirmed, true, []],
    ['no other suspicion', suspected, { ...confirmed, confidence: 'suspected' }, false, []],
    ['no other fault where it was certain', { ...suspected, confidence: 'confirmed' }, confirmed, false, []],
    ['no certainty about another place', suspected, { ...confirmed, ...elsewhere }, false, []],
    ['no certainty about another step', suspected, egress, false, []],
    ['the whole of what it was a part of', part, whole, true, []],
    ['no whole elsewhere', part, { ...whole, ...elsewhere }, false, []],
    ['no part of it', whole, part, false, []],
    ['no whole of another step', part, { ...whole, precondition: 'internet' }, false, []],
    [
      'no cause of a step that is gone',
      { ...part, precondition: 'gone' },
      { ...whole, precondition: 'gone' },
      false,
      [],
    ],
    ['no whole of a cause that is gone', { ...part, id: 'gone' }, whole, false, []],
    ['what explains it while it shows', egress, offline, true, [egress]],
    ['nothing that would explain it, once it shows no more', egress, offline, false, []],
    ['nothing that does not explain it', egress, causeOf('clock-skewed'), false, [egress]],
    ['no note', egress, { ...offline, severity: 'info' }, false, [egress]],
  ])('%s', (_, ...[before, cause, goesOn, symptoms]) => {
    const incident = incidentOf(before);
    expect(continuedBy([incident], cause, view([cause], symptoms))).toEqual(goesOn ? incident : null);
  });

  test('nothing while its own cause is there', () => {
    expect(continuedBy([incidentOf(egress)], offline, view([offline, egress], [egress]))).toBeNull();
  });

  test('a cause that it had before, in preference to one that explains another', () => {
    const explained = { ...incidentOf(egress), id: 'explained' };
    const had: Incident = {
      ...incidentOf(causeOf('mail-unreachable')),
      formerCauses: [
        formerCauseOf('tls-blocked', START),
        formerCauseOf('internet-unreachable', START, offline.subject),
      ],
    };
    expect(continuedBy([explained, had], offline, view([offline], [egress]))).toBe(had);
    expect(continuedBy([{ ...had, status: 'closed' }], offline, view([offline]))).toBeNull();
    expect(continuedBy([{ ...had, cause: { ...had.cause, severity: 'info' } }], offline, view([offline]))).toBeNull();
  });
});
