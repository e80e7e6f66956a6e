import { expect, test } from 'vitest';
import type { MessageChannel } from '../../../src/notify/channels/channel.ts';
import { Outbox } from '../../../src/notify/outbox.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { logRecorder } from '../../support/process/log-recorder.ts';
import { START } from '../../support/store/incident-timeline.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import { incidentOf } from '../../support/notify/outbox-entry-of.ts';

function channel(
  id: string,
  minSeverity: MessageChannel['minSeverity'],
  recipients: readonly string[],
): MessageChannel {
  return { kind: 'messages', id, minSeverity, recipients, deliver: () => Promise.resolve([]) };
}

test('what the hourly limit holds back waits for each recipient that wants it, and for no other', () => {
  const held = [
    incidentOf(causeOf('tls-intercepted')),
    incidentOf(causeOf('mail-unreachable', { severity: 'warning' })),
  ];
  const messages = [
    channel('email', 'warning', ['a@example.org', 'b@example.org']),
    channel('slack', 'critical', ['https://hooks.example.org']),
  ];
  const journal = {
    savedState: () => null,
    record: () => undefined,
    update: () => undefined,
    pending: () => [],
    givenUp: () => [],
  };
  const deps = { clock: handClock(START), logger: logRecorder(), journal, onDelivery: () => undefined };
  const outbox = new Outbox(messages, deps, new AbortController().signal);
  expect(['email', 'slack', 'webhook'].map((id) => outbox.pending(id, held))).toEqual([4, 1, 0]);
});
