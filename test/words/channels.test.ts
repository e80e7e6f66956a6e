import { test } from 'vitest';
import type { Notification } from '../../src/engine/incident/incident.ts';
import { alertsOf } from '../../src/notify/channels/alertmanager.ts';
import { adaptiveCardMessage } from '../../src/notify/channels/teams.ts';
import { mattermostMessage } from '../../src/notify/channels/mattermost.ts';
import { ntfyMessage } from '../../src/notify/channels/ntfy.ts';
import { pagerdutyEvents } from '../../src/notify/channels/pagerduty.ts';
import { slackMessage } from '../../src/notify/channels/slack.ts';
import { HOUR, START, timeline } from '../support/store/incident-timeline.ts';
import { AT_PUBLIC_HQ } from '../support/notify/channel-bench.ts';
import { wordedCause } from '../support/checks/worded-cause.ts';
import { expectRecorded, outline } from './recorded.ts';

const MESSAGES = {
  mattermost: mattermostMessage,
  ntfy: ntfyMessage,
  pagerduty: pagerdutyEvents,
  slack: slackMessage,
  teams: adaptiveCardMessage,
} as const;

const MAILS = ['mx-1:25', 'mx-2:25', 'mx-3:25'].map((subject) => ({ ...wordedCause('mail-unreachable'), subject }));

test('one fault in every channel, from its first message to its end, then several', async () => {
  const line = timeline().rounds(2, [wordedCause('tls-intercepted')]);
  const open = line.state;
  line
    .wait(4 * HOUR)
    .tick()
    .rounds(2, []);
  const digest = timeline()
    .rounds(2, [wordedCause('tls-intercepted'), ...MAILS])
    .told.slice(1);
  const told: readonly Notification[] = [...line.told, ...digest, { kind: 'test', id: 'test-1', at: START }];
  const messages = Object.entries(MESSAGES).map(
    ([name, messageOf]) => [name, outline(told.map((one) => messageOf(one, AT_PUBLIC_HQ)))] as const,
  );
  const alerts = outline(alertsOf(open, AT_PUBLIC_HQ, START + HOUR));
  await expectRecorded('channels', { ...Object.fromEntries(messages), alertmanager: alerts });
});
