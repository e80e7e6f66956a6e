import { expect, test } from 'vitest';
import type { Incident } from '../../../../../src/engine/incident/incident.ts';
import type { Section } from '../../../../../src/document/document.ts';
import { emailContentOf } from '../../../../../src/notify/channels/email-content.ts';
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
const DIGEST = { kind: 'digest', id: 'd', at: START + 9 * MINUTE, items: [], omitted: 0, stillOpen: [] } as const;
const CONTEXT = { ...AT_HQ, delayed: null };
const times = { since: utcText(START), cause: utcText(START + MINUTE), last: utcText(START + 5 * MINUTE) };

function textsOf({ parts }: Section): readonly string[] {
  return parts.flatMap(({ lines }) =>
    lines.flatMap((line) => (typeof line === 'string' ? line : 'text' in line ? line.text : [])),
  );
}

test('what is open lasts since its cause was known; what is over has the time of the whole fault', () => {
  const { tone, sections } = emailContentOf(
    {
      ...DIGEST,
      items: [
        { event: 'reminder', incident: OPEN },
        { event: 'resolved', incident: OVER },
      ],
      omitted: 3,
    },
    CONTEXT,
  );
  expect(tone).toBe('critical');
  expect(sections.map(({ title: name }) => name)).toEqual(['What this is', 'Open', 'Resolved', 'Not listed']);
  const [[what] = [], [open = ''] = [], [over = ''] = [], [more] = []] = sections.map(textsOf);
  expect(what).toBe('This message is about 5 incidents.');
  expect(open).toMatch(/^still critical: .*\(mail-unreachable, a:25\), since /u);
  expect(open.endsWith(`, since ${times.cause}`)).toBe(true);
  expect(over).toMatch(/^critical: /u);
  expect(over.endsWith(`, seen from ${times.since} to ${times.last}, lasted at least 5 min`)).toBe(true);
  expect(more).toBe('3 more incidents');
});

test('its tone is that of what is open, here or elsewhere', () => {
  const toneOf = (...items: readonly Incident[]): string =>
    emailContentOf({ ...DIGEST, items: items.map((one) => ({ event: 'firing', incident: one }) as const) }, CONTEXT)
      .tone;
  const warning = incident({ status: 'open', cause: causeOf('mail-unreachable', { severity: 'warning' }) });
  expect([toneOf(OVER), toneOf(warning, OVER), toneOf(OPEN, warning)]).toEqual(['good', 'warning', 'critical']);
  const stillOpen = [
    { id: 'tls-blocked', subject: 'a:443', severity: 'critical', product: null, since: START },
  ] as const;
  const elsewhere = emailContentOf({ ...DIGEST, items: [{ event: 'resolved', incident: OVER }], stillOpen }, CONTEXT);
  expect({ tone: elsewhere.tone, sections: elsewhere.sections.map(({ title }) => title) }).toEqual({
    tone: 'critical',
    sections: ['What this is', 'Resolved', 'Also open'],
  });
});
