import { expect, test } from 'vitest';
import type { MessageChannel } from '../../../src/notify/channels/channel.ts';
import { pendingByChannel } from '../../../src/notify/outbox.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
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
  const pending = pendingByChannel({ messages, states: [], outboxEntries: [], held });
  expect(pending).toMatchObject({ email: 4, slack: 1, webhook: 0 });
});
