import { expect, test } from 'vitest';
import type { DigestNotification, Incident } from '../../../../../src/engine/incident/incident.ts';
import { composeMessage } from '../../../../../src/notify/channels/email.ts';
import { causeOf } from '../../../../support/checks/diagnosis-of.ts';
import { AT_HQ } from '../../../../support/checks/message-context.ts';
import { MINUTE, START, timeline } from '../../../../support/store/incident-timeline.ts';
import { utcText } from '../../../../../src/core/time-text.ts';

function incident(more: Partial<Incident>): Incident {
  const [opened] = timeline().rounds(2, [causeOf('mail-unreachable', { subject: 'a:25' })]).state.incidents;
  if (opened === undefined) throw new Error('No incident was opened');
  return { ...opened, since: START, causeSince: START + MINUTE, lastSeen: START + 5 * MINUTE, ...more };
}

const OPEN = incident({ status: 'open' });
const OVER = incident({ status: 'closed', closedAt: START + 6 * MINUTE });
const DIGEST = {
  kind: 'digest',
  id: 'd',
  at: START + 9 * MINUTE,
  items: [],
  omitted: 0,
  omittedOpen: 0,
  stillOpen: [],
} as const;
const CONTEXT = { ...AT_HQ, from: 'ftm-watch@example.org', delayed: null };
const times = { since: utcText(START), cause: utcText(START + MINUTE), last: utcText(START + 5 * MINUTE) };

function mail(more: Partial<DigestNotification>): ReturnType<typeof composeMessage> {
  return composeMessage({ ...DIGEST, ...more }, CONTEXT);
}

test('what is open lasts since its cause was known; what is over has the time of the whole fault', () => {
  const { text } = mail({
    items: [
      { event: 'reminder', incident: OPEN },
      { event: 'resolved', incident: OVER },
    ],
    omitted: 3,
  });
  const paragraphs = text.split('\n\n').map((paragraph) => paragraph.replaceAll(/\s+/gu, ' '));
  const [what, open, over, more] = paragraphs.slice(1);
  expect(what).toBe('What this is This message is about 5 incidents.');
  expect(open).toMatch(/^Open - still critical: .*\(mail-unreachable, a:25\), since /u);
  expect(open?.endsWith(`, since ${times.cause}`)).toBe(true);
  expect(over).toMatch(/^Resolved - critical: /u);
  expect(over?.endsWith(`, seen from ${times.since} to ${times.last}, lasted at least 5 min`)).toBe(true);
  expect(more).toBe('Not listed 3 more incidents');
  expect(mail({ omitted: 1 }).text).toContain('1 more incident\n');
});

test('its colour is that of what is open, here or elsewhere', () => {
  const colorOf = (items: readonly Incident[], more: Partial<DigestNotification> = {}): string | undefined => {
    const { html } = mail({ items: items.map((one) => ({ event: 'firing', incident: one }) as const), ...more });
    return /border-left:4px solid (#\w+)/u.exec(html)?.[1];
  };
  const [critical, warning, good] = ['#d93a3a', '#c27a00', '#2b9348'];
  const light = incident({ status: 'open', cause: causeOf('mail-unreachable', { severity: 'warning' }) });
  expect([colorOf([OVER]), colorOf([light, OVER]), colorOf([OPEN, light])]).toEqual([good, warning, critical]);
  const stillOpen = [
    { id: 'tls-blocked', subject: 'a:443', severity: 'critical', product: null, since: START },
  ] as const;
  expect(colorOf([OVER], { stillOpen })).toBe(critical);
  const { text } = mail({ items: [{ event: 'resolved', incident: OVER }], stillOpen });
  expect(text.match(/^(?:What this is|Resolved|Also open)$/gmu)).toEqual(['What this is', 'Resolved', 'Also open']);
});
