import { expect, test } from 'vitest';
import { hasChannel, noChannelNote } from '../../../src/config/schema/channels.ts';
import { alertmanagerAt } from '../../support/monitoring/alertmanager-at.ts';
import { hookAt } from '../../support/notify/hook-at.ts';
import { configOf } from '../../support/config/config-of.ts';

const { notify: NONE } = await configOf('{}');
const MAIL = { from: 'a@example.org', to: ['b@example.org'], minSeverity: 'warning', servers: [] } as const;

test.each([
  ['nothing', NONE, false],
  ['Alertmanager', { ...NONE, alertmanager: alertmanagerAt(['http://127.0.0.1:9093']) }, true],
  ['a web hook', { ...NONE, webhooks: [hookAt('https://hooks.example.org')] }, true],
  ['mail', { ...NONE, email: { ...MAIL, to: [...MAIL.to], servers: [] } }, true],
])('with %s, there is a note unless there is a channel', (_, channels, expected) => {
  expect([hasChannel(channels), noChannelNote(channels) === null]).toEqual([expected, expected]);
});
