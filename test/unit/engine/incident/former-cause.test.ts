import { expect, test } from 'vitest';
import { withCause, withFormer } from '../../../../src/engine/incident/incident.ts';
import { causeOf } from '../../../support/checks/diagnosis-of.ts';
import { MINUTE, SECOND, START } from '../../../support/store/incident-timeline.ts';
import { formerCauseOf, incidentOf } from '../../../support/notify/outbox-entry-of.ts';

test('a replaced cause keeps its own times, and Alertmanager has to be told of the new one', () => {
  const incident = { ...incidentOf(), published: true };
  const cause = causeOf('tls-blocked');
  expect(withCause(incident, cause, { since: START + MINUTE, now: START + 2 * MINUTE })).toEqual({
    ...incident,
    cause,
    causeSince: START + MINUTE,
    published: false,
    formerCauses: [
      {
        id: 'tls-intercepted',
        subject: incident.cause.subject,
        severity: 'critical',
        since: START,
        until: START + 30 * SECOND,
        replacedAt: START + 2 * MINUTE,
        published: true,
      },
    ],
  });
});

test('the last twenty former causes are kept', () => {
  const former = Array.from({ length: 25 }, (_, index) => formerCauseOf('tls-blocked', START + index));
  const incident = { ...incidentOf(), formerCauses: former.slice(0, 15) };
  expect(withFormer(incident, former.slice(15))).toEqual(former.slice(5));
});
