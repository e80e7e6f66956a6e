import { expect, test } from 'vitest';
import type { NoteNotification } from '../../../src/engine/incident/incident.ts';
import { bySeverity } from '../../../src/notify/outbox.ts';
import { composeMessage } from '../../../src/notify/channels/email.ts';
import { messageParagraphs, notificationText } from '../../../src/document/notification.ts';
import { pagerdutyEvents } from '../../../src/notify/channels/pagerduty.ts';
import { START } from '../../support/store/incident-timeline.ts';
import { AT_HQ } from '../../support/checks/message-context.ts';

const SUMMARY: NoteNotification = {
  kind: 'note',
  id: 'summary-1-a1b2c3d4e5',
  at: START,
  event: 'summary',
  short: '99.8 % ready, 0 incidents',
  tone: 'good',
  action: 'There is nothing to do.',
  summary: 'It was quiet.',
  sections: [{ title: 'Tokens left', lines: ['fac-1: 12', 'fac-2: <b>7</b>'] }],
};
const CONTEXT = { ...AT_HQ, publicUrl: 'https://ftm.example.org' };

test('those who want what is critical alone get no note', () => {
  expect(bySeverity(SUMMARY, 'warning')).toBe(SUMMARY);
  expect(bySeverity(SUMMARY, 'critical')).toBeNull();
});

test('a note pages nobody', () => {
  expect(pagerdutyEvents(SUMMARY, CONTEXT)).toEqual([]);
});

test('a chat shows its lists, each in a paragraph', () => {
  const text = notificationText(SUMMARY, CONTEXT);
  expect(text).toMatchObject({ subject: 'SUMMARY hq: 99.8 % ready, 0 incidents', tone: 'good' });
  expect(text.links).toEqual({ page: 'https://ftm.example.org/', runbook: null });
  expect(messageParagraphs(SUMMARY, text, 'hq')).toEqual([
    'It was quiet.',
    'There is nothing to do.',
    'Tokens left: fac-1: 12; fac-2: <b>7</b>',
  ]);
});

test('a mail shows its lists, and leads to the status page', () => {
  const mail = composeMessage(SUMMARY, { ...CONTEXT, from: 'ftm-watch@example.org', delayed: null });
  expect(mail.headers).toMatchObject({ 'X-FTM-Watch-Event': 'summary' });
  expect(mail.headers).not.toHaveProperty('X-FTM-Watch-Cause');
  expect(mail.html).toContain('<li style="margin:0 0 4px;overflow-wrap:anywhere">fac-2: &#60;b&#62;7&#60;/b&#62;</li>');
  expect(mail.text).toBe(`There is nothing to do.

Status page: https://ftm.example.org/

What happened
  It was quiet.

Tokens left
  - fac-1: 12
  - fac-2: <b>7</b>

Site: hq
Sent: 2026-11-24 13:00:00 UTC

-- 
ftm-watch
`);
});
