import { test } from 'vitest';
import type { CauseId } from '../../src/checks/registry.ts';
import type { Notification } from '../../src/engine/incident/incident.ts';
import { composeMessage } from '../../src/notify/channels/email.ts';
import { START } from '../support/store/incident-timeline.ts';
import { causeStory } from '../support/notify/cause-mails.ts';
import { AT_PUBLIC_HQ } from '../support/notify/channel-bench.ts';
import { expectRecorded } from './recorded.ts';

const CONTEXT = { ...AT_PUBLIC_HQ, from: 'ftm-watch@example.org', delayed: null };

const ONE: CauseId = 'tls-intercepted';

/** Such as `firing mail-slow`. */
function nameOf(notification: Notification): string {
  return notification.kind === 'incident'
    ? `${notification.event} ${notification.incident.cause.id}`
    : notification.kind;
}

test('mails about every cause, and how one of them goes on', async () => {
  const { told } = causeStory(START);
  const named = told.filter(
    (one) => one.kind !== 'incident' || one.event === 'firing' || one.incident.cause.id === ONE,
  );
  const mails = named.map((notification) => {
    const { subject, text } = composeMessage(notification, CONTEXT);
    return [nameOf(notification), `${subject}\n\n${text}`] as const;
  });
  const removed = told.flatMap((one) =>
    one.kind === 'incident' && one.event === 'resolved' && one.incident.cause.id === ONE
      ? [composeMessage({ ...one, incident: { ...one.incident, subjectKind: 'removed' } }, CONTEXT)]
      : [],
  );
  const ofRemoved = removed.map(({ subject, text }) => ['removed subject', `${subject}\n\n${text}`] as const);
  await expectRecorded('mails', Object.fromEntries([...mails, ...ofRemoved]));
});
