import { expect, test } from 'vitest';
import {
  deliveryKey,
  isGivenUp,
  eventOf,
  incidentsOf,
  type Notification,
} from '../../../../src/engine/incident/incident.ts';
import { START } from '../../../support/store/incident-timeline.ts';
import { incidentNotificationOf, incidentOf, outboxEntryOf } from '../../../support/notify/outbox-entry-of.ts';

const incident = incidentOf();
const other = { ...incident, id: 'other' };
const single = incidentNotificationOf(incident, { event: 'reminder' });
const digest: Notification = {
  kind: 'digest',
  id: 'digest-1',
  at: START,
  items: [incident, other].map((one) => ({ event: 'firing', incident: one })),
  omitted: 0,
  omittedOpen: 0,
  stillOpen: [],
};

test.each<readonly [string, Notification, readonly unknown[]]>([
  ['reminder', single, [incident]],
  ['digest', digest, [incident, other]],
  ['test', { kind: 'test', id: 'test-1', at: START }, []],
])('a notification of the event "%s" tells of its incidents', (event, notification, incidents) => {
  expect(eventOf(notification)).toBe(event);
  expect(incidentsOf(notification)).toEqual(incidents);
});

test.each([
  ['pending', false],
  ['sent', false],
  ['rejected', true],
  ['expired', true],
  ['withdrawn', false],
] as const)('a delivery that is %s was given up: %s', (status, givenUp) => {
  expect(isGivenUp({ status })).toBe(givenUp);
});

test('a delivery is known by what it carries, by its channel and by its recipient', () => {
  expect(deliveryKey(outboxEntryOf(single, { channel: 'webhook', recipient: 'https://hook.test/' }).delivery)).toBe(
    `${single.id} webhook https://hook.test/`,
  );
});
