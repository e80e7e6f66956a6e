import { describe, expect, test } from 'vitest';
import type { Cause } from '../../../../src/engine/model.ts';
import { next } from '../../../../src/engine/incident/machine.ts';
import { EMPTY_STATE, type Incident } from '../../../../src/engine/incident/incident.ts';
import { causeOf, diagnosisOf } from '../../../support/checks/diagnosis-of.ts';
import { POLICY, START } from '../../../support/store/incident-timeline.ts';
import { MINUTE } from '../../../support/time/units.ts';
import { formerCauseOf, incidentOf } from '../../../support/notify/outbox-entry-of.ts';

const offline = causeOf('internet-unreachable', { subject: 'internet' });
const egress = causeOf('egress-blocked');
const service: Cause = { ...egress, severity: 'warning', subject: 'push.example:443' };

const NOW = START + 10 * MINUTE;

/** Returns the incidents after a round that shows the first of these causes for the second time. */
function after(
  incidents: readonly Incident[],
  causes: readonly Cause[],
  symptoms: readonly Cause[] = [],
): readonly Incident[] {
  const candidates = causes
    .slice(0, 1)
    .map((cause) => ({ cause, since: NOW - 1, causeSince: NOW - 1, streak: 1, looks: [NOW - 1], clearBefore: null }));
  const diagnosis = diagnosisOf(NOW, causes, {}, symptoms);
  const input = { kind: 'diagnosis', diagnosis, fresh: null } as const;
  return next({ ...EMPTY_STATE, incidents, candidates }, input, POLICY).state.incidents;
}

describe('an open incident goes on with', () => {
  test.each<readonly [string, Cause, Cause, boolean, readonly Cause[]]>([
    ['what explains it while it shows', service, offline, true, [service]],
    ['nothing that would explain it, once it shows no more', service, offline, false, []],
    ['an outage of the path that hides it, if it is one itself', egress, offline, true, []],
    ['nothing that does not explain it', egress, causeOf('clock-skewed'), false, [egress]],
    ['nothing that it explains', offline, egress, false, []],
    ['no note', egress, { ...offline, severity: 'info' }, false, [egress]],
  ])('%s', (_, ...[before, cause, goesOn, symptoms]) => {
    const causes = after([incidentOf(before)], [cause], symptoms).map(({ cause: { id } }) => id);
    expect(causes).toEqual(goesOn ? [cause.id] : [before.id, cause.id]);
  });

  test('nothing while its own fault is there', () => {
    expect(after([incidentOf(egress)], [offline, egress], [egress])).toHaveLength(2);
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
    const causes = (...incidents: readonly Incident[]) =>
      after(incidents, [offline], [egress]).map(({ cause: { id } }) => id);
    expect(causes(explained, had)).toEqual(['egress-blocked', 'internet-unreachable']);
    expect(causes({ ...had, status: 'closed' })).toHaveLength(2);
    expect(causes({ ...had, cause: { ...had.cause, severity: 'info' } })).toHaveLength(2);
  });
});
