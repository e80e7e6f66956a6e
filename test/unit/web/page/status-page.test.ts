import { readdirSync, statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { sentenceStep, PRECONDITION_STATES, type Cause, type Finding } from '../../../../src/engine/model.ts';
import type { Incident, Silence } from '../../../../src/engine/incident/incident.ts';
import type { Certificate } from '../../../../src/core/certificate.ts';
import { isoTime } from '../../../../src/core/time-text.ts';
import { parseCertificate } from '../../../../src/tls/parse-certificate.ts';
import { certificatePem } from '../../../../src/tls/pem.ts';
import { CHECKS } from '../../../../src/checks/registry.ts';
import { STATE_WORDS } from '../../../../src/document/states.ts';
import { createIdentity } from '../../../../src/demo/lab/identity.ts';
import { causeOf, diagnosisOf } from '../../../support/checks/diagnosis-of.ts';
import { finding } from '../../../support/checks/judged-round.ts';
import { incidentNotificationOf, incidentOf, outboxEntryOf } from '../../../support/notify/outbox-entry-of.ts';
import { HOUR, MINUTE, START, timeline } from '../../../support/store/incident-timeline.ts';
import { PAGE_STATES } from '../../../support/web/page-states.ts';
import { NOW, render } from '../../../support/web/rendered-page.ts';
import { QUIET_ACTIVITY, type WebState } from '../../../support/web/web-sources.ts';

const HOSTILE = `<script>alert(1)</script>"'\u0007\u202e\u0000${'x'.repeat(10_000)}`;
const BUDGET = 100 * 1024;

const incident = incidentOf();
const firing = incidentNotificationOf(incident);

function incidents(count: number): readonly Incident[] {
  const causes = Array.from({ length: count }, (_, index) =>
    causeOf('mail-unreachable', { subject: `mail-${String(index)}.example.org:25` }),
  );
  return timeline({ maxPerHour: 1_000 }).rounds(2, causes).state.incidents;
}

/** Returns the page's text without tags and with spaces collapsed. */
function words(more: Partial<WebState>): string {
  return render(more)
    .replaceAll(/<wbr><span class="port">([^<]*)<\/span>/gu, '$1')
    .replaceAll(/<[^>]*>/gu, ' ')
    .replaceAll(/\s+/gu, ' ')
    .trim();
}

function count(page: string, part: string | RegExp): number {
  return page.split(part).length - 1;
}

describe('the status page', () => {
  test.each<readonly [string, Partial<WebState>, string]>([
    ['is starting before the first round', { diagnosis: null }, 'unknown'],
    ['is ready', {}, 'ready'],
    ['is ready beside trouble of its own', { health: { ready: true, problems: ['The disk is full'] } }, 'ready'],
    ['is not ready', { diagnosis: diagnosisOf(START, [causeOf('tls-intercepted')]) }, 'not-ready'],
  ])('%s', (_, state, icon) => {
    const page = render(state);
    expect(/static\/icon-([\w-]+)\.svg/u.exec(page)?.[1]).toBe(icon);
    expect(page).toContain('id="activity"');
    for (const problem of state.health?.problems ?? []) expect(page).toContain(problem);
  });

  test('shows the place of the break, the cause, its evidence and what to do', () => {
    const step = { ...sentenceStep('Look again.'), commands: 'ftm-watch check\na <b', syntax: 'shell' } as const;
    const page = render({ diagnosis: diagnosisOf(START, [causeOf('tls-intercepted', { remedySteps: [step] })]) });
    expect(page).toMatch(
      /<li class="stop bad" data-leads="cut">\s*<span class="node">[^\n]*\n<span class="about"><strong>Firewall<\/strong>/u,
    );
    expect(page).toContain('Evidence of tls-intercepted');
    expect(page).toMatch(/<a href="#steps">[^<]*\b4\b/u);
    expect(count(page.split('<ol id="steps"')[1]?.split('</ol>')[0] ?? '', '<li>')).toBe(9);
    // Only the block itself is selected and copied.
    expect(page).toContain('<pre class="command" data-copy tabindex="0">ftm-watch check\na &lt;b\n</pre>');
    expect(count(page, 'Summary of tls-intercepted')).toBe(1);
    expect(render({})).not.toContain('data-leads="cut"');
  });

  test('names the checks that are unknown, since when and what to do, above what works', () => {
    const page = render(PAGE_STATES.unknown);
    const [verdict = '', rest = ''] = page.split('<div id="now" class="grid">');
    expect([...verdict.matchAll(/<li><a href="#([\w-]+)">[^<]*<\/a> [^<]*/gu)].map(([, id]) => id)).toEqual([
      'reachability',
      'mail',
    ]);
    expect(verdict).toContain(`<p class="since">since <strong><time datetime="${isoTime(NOW - 4 * HOUR)}"`);
    expect(rest.indexOf('id="checklist-title"')).toBeLessThan(rest.indexOf('id="route-title"'));
    expect(count(rest.split('id="checks-ok"')[0] ?? '', '<ol class="remedy">')).toBe(2);
    expect(render({ ...PAGE_STATES.unknown, unknownSince: null })).not.toContain('class="since"');
    // What a finding advises fits better than what always applies.
    const { diagnosis } = PAGE_STATES.unknown;
    const preconditions = diagnosis?.preconditions.map((status) => ({
      ...status,
      findings: status.findings.map((one) => ({ ...one, advice: { remedy: [`Advice on ${status.id}.`] } })),
    }));
    expect(words({ diagnosis: { ...diagnosis, preconditions } })).toMatch(
      /Advice on reachability\..*Advice on mail\./u,
    );
  });

  test('says since when what the heading says is so, and once that nobody is on several faults', () => {
    const since = (page: string): string | undefined => /<p class="since">.*?datetime="([^"]*)"/u.exec(page)?.[1];
    const { incidents: all = [], ...rest } = PAGE_STATES['three faults'];
    const page = render({ ...rest, incidents: all });
    expect(since(page)).toBe(isoTime(all.find(({ cause }) => cause.id === 'tls-intercepted')?.since ?? 0));
    // The heading says whose start it is, because the first fault in the list began later.
    expect(/<p class="since">.*<\/strong>(.*)<\/p>/u.exec(page)?.[1]).toMatch(/\b2\b/u);
    expect(count(page, 'Nobody is on')).toBe(3);
    // The mail server's fault is the oldest, but activation has not failed since then.
    const old = all.map((one) => (one.cause.precondition === 'mail' ? { ...one, since: 0 } : one));
    expect(since(render({ ...rest, incidents: old }))).toBe(since(page));
  });

  test('says of each of several warnings what was measured', () => {
    const [, list = ''] = /<dl class="answers">(.*?)<\/dl>/su.exec(render(PAGE_STATES.warnings)) ?? [];
    expect([...list.matchAll(/<p>(\D*\d+)/gu)].map(([, told]) => told)).toEqual(['The clock is 3', '30']);
  });

  test('maintenance and silences are no owners', () => {
    const rows = (more: Partial<WebState>): ReadonlyMap<string, string> =>
      new Map(
        [...render(more).matchAll(/<dt>(\w+)<\/dt><dd>(.*?)<\/dd>/gsu)].map(([, name = '', value = '']) => [
          name,
          value,
        ]),
      );
    const silence = { id: 's', cause: null, subject: null, from: START, until: NOW + HOUR, by: 'ben', comment: '' };
    const held = rows({ ...PAGE_STATES.maintenance, silences: [silence] });
    expect(held.get('Owner')).toBe(rows({ ...PAGE_STATES['one fault'], incidents: [] }).get('Owner'));
    expect(held.get('Notifications')).toMatch(/maintenance.*ben/su);
    expect(render(PAGE_STATES.maintenance)).toMatch(/<p class="since">[^<]*maintenance[^<]*<time/u);
    expect(rows(PAGE_STATES['one fault']).has('Notifications')).toBe(false);
    expect(rows(PAGE_STATES['one fault']).get('Owner')).toContain('ada');
  });

  test('says about how many of 24 somebody was notified, and offers no second acknowledgement', () => {
    const { incidents: all = [], ...rest } = PAGE_STATES['24 services'];
    const some = all.map((one, index) => (index < 3 ? one : { ...one, lastNotified: null }));
    expect(words({ ...rest, incidents: some })).toContain(', about 3 of 24.');
    expect(words({ ...rest, incidents: all })).toMatch(/curl .*incidents=i-1,i-2,.*,i-24 /u);
    expect(render(PAGE_STATES['one fault'])).not.toContain('>Acknowledge,');
  });

  test('leads from a cause to its incident and its runbook', () => {
    const cause = causeOf('mail-unreachable', { subject: 'mail-0.example.org:25' });
    const page = render({ diagnosis: diagnosisOf(START, [cause]), incidents: incidents(1) });
    expect(page).toMatch(new RegExp(`<a href="incidents/${incidents(1)[0]?.id ?? ''}">Acknowledge`, 'u'));
    expect(page).toContain('<a href="runbooks/mail-unreachable?incident=');
  });

  test.each(PRECONDITION_STATES)('says "%s" by colour, sign and word', (state) => {
    const page = render({ diagnosis: diagnosisOf(START, [], { mail: state }) });
    const word = STATE_WORDS[state];
    expect(page).toMatch(new RegExp(`<strong>Mail</strong>.*<span class="word">${word}</span>`, 'u'));
    expect(page).toMatch(
      new RegExp(
        `<span class="name">Mail</span><span class="badge (\\w+)"><svg class="sign \\1".*#sign-\\1.*${word}`,
        'u',
      ),
    );
  });
});

describe('the checklist', () => {
  function shown(more: Partial<Finding>, timezone = 'UTC'): string {
    const diagnosis = diagnosisOf(START, []);
    const findings = [finding('tls-intercepted', { subject: 'mail.example.org:25', ...more })];
    const state = more.level === 'note' ? 'ok' : 'broken';
    const preconditions = diagnosis.preconditions.map((status) => ({ ...status, state, findings }) as const);
    const page = render({ timezone, diagnosis: { ...diagnosis, preconditions } });
    const [, list = ''] = page.split('id="checklist-title"');
    return list.split('</section>')[0] ?? '';
  }

  test('has every precondition, with its notes', () => {
    const page = shown({ level: 'note', claim: 'It greets politely.' });
    expect(count(page, 'class="name"')).toBe(CHECKS.length);
    expect(count(page, 'mail.example.org<wbr><span class="port">:25</span>: It greets politely.')).toBe(CHECKS.length);
  });

  test('has below a claim the full names, the words of others, the address and the time', () => {
    const at = Date.UTC(2026, 10, 24, 12);
    const told = { actual: 'Issued by CN=a', quote: 'action="resign"', at, facts: { address: '173.243.138.84' } };
    const [outside = '', inside = ''] = shown(told).split('<details');
    for (const part of ['Issued by CN=a', 'action=&quot;resign&quot;', '173.243.138.84']) {
      expect(outside).not.toContain(part);
      expect(inside).toContain(`<dd>${part}</dd>`);
    }
    expect(inside).toContain('title="2026-11-24 12:00:00 UTC">12:00:00</time>');
    expect(shown(told, 'Europe/Berlin')).toContain('title="2026-11-24 12:00:00 UTC">13:00:00</time>');
  });

  test('does not repeat what was seen, and tells no address and no time where there is none', () => {
    const [, inside = ''] = shown({ claim: 'C.', actual: 'timeout: No result', quote: 'No result' }).split('<details');
    expect(count(inside, 'No result')).toBe(1);
    expect(inside).not.toMatch(/Address|Last seen/u);
  });
});

describe('the incidents', () => {
  test('are twenty at most, with a number that counts all, and the rest as JSON', () => {
    const page = render({ incidents: incidents(50) });
    expect(page).toContain('Open incidents <span class="count">50</span>');
    expect(count(page, '<a href="incidents/')).toBe(20);
    expect(page).toMatch(/\b30\b[^<]*<a href="api\/v1\/incidents"/u);
  });

  test('lead to their pages, open ones first', () => {
    const over = { ...incident, status: 'closed', closedAt: START + 5 * MINUTE } as const;
    const page = render({ incidents: [{ ...incident, id: 'open' }, over] });
    const [open, closed] = page.split('id="closed-incidents"');
    expect(open).toContain('<a href="incidents/open">');
    expect(closed).toContain(`<a href="incidents/${over.id}">`);
  });

  test('go on with what is known where the history is not available', () => {
    const [missing, all] = [false, true].map((complete) => render({ incidents: [incident], complete }));
    expect(missing).toContain(`<a href="incidents/${incident.id}">`);
    expect(count(missing ?? '', 'history is not available')).toBe(2);
    expect(all).not.toContain('history is not available');
  });
});

describe('the notifications', () => {
  test('put together the recipients to whom the same happened, and count those beyond four', () => {
    const outboxEntries = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) =>
      outboxEntryOf(firing, { recipient: `${name}@example.org`, status: 'sent', finishedAt: NOW }),
    );
    expect(words({ outboxEntries })).toMatch(/ a…@example\.org, b…@[^,]*, c…@[^,]*, d…@example\.org and 2 /u);
  });

  test('stand open while they have not arrived, and are folded when they have', () => {
    const sent = outboxEntryOf(incidentNotificationOf(incident, { id: 'sent' }), { status: 'sent', finishedAt: NOW });
    const [open, folded] = render({ outboxEntries: [outboxEntryOf(firing), sent] }).split(
      '<details id="sent-notifications">',
    );
    expect([open, folded].map((part) => count(part ?? '', '<ul class="ways">'))).toEqual([1, 1]);
    expect(open).toContain('<span class="badge wait">');
    expect(folded).toContain('<span class="badge good">');
  });

  test('are bounded', () => {
    const many = (status: 'sent' | 'pending') =>
      Array.from({ length: 200 }, (_, index) =>
        outboxEntryOf(incidentNotificationOf(incident, { id: `${status} ${String(index)}` }), {
          status,
          finishedAt: NOW,
        }),
      );
    const parts = render({ outboxEntries: [...many('sent'), ...many('pending')] }).split(
      '<details id="sent-notifications">',
    );
    expect(parts.map((part) => count(part, '<ul class="ways">'))).toEqual([10, 15]);
    expect(parts.map((part) => /\b1\d\d\b[^<]*<a href="api\/v1\/notifications"/u.exec(part)?.[0].slice(0, 3))).toEqual([
      '190',
      '185',
    ]);
  });
});

describe('the silences', () => {
  const silence: Silence = {
    id: 'silence-7',
    cause: 'tls-intercepted',
    subject: incident.cause.subject,
    from: START,
    until: NOW + 2 * HOUR,
    by: 'Ada',
    comment: 'moving',
  };
  const tag = '<span class="tag">silenced</span>';

  test('are not there when nothing is silenced and nothing is planned', () => {
    for (const silences of [[], [{ ...silence, until: NOW }]])
      expect(render({ silences })).not.toContain('id="silences');
  });

  test('mark the incident that they are about once they begin, and say how to end them', () => {
    const page = render({ silences: [silence], incidents: [incident] });
    expect(page).toContain('data-copy><span class="line">ftm-watch silence remove silence-7</span></code>');
    expect(page).toContain(tag);
    expect(render({ silences: [{ ...silence, from: NOW + HOUR }], incidents: [incident] })).not.toContain(tag);
  });

  test('have the first to end first', () => {
    const soon = { ...silence, id: 'soon', until: NOW + 5 * MINUTE };
    const page = render({ silences: [silence, soon] });
    expect(page.indexOf('silence remove soon')).toBeLessThan(page.indexOf('silence remove silence-7'));
  });
});

test('certificates: marks what differs from the trusted chain, and nothing else', async () => {
  const { der } = await createIdentity({ name: 'O=Fortinet, CN=license.example.test', serial: '0A' });
  const genuine: Certificate | null = parseCertificate(der);
  if (genuine === null) throw new Error('The identity is no certificate');
  const forged = { ...genuine, issuer: { attributes: [{ type: 'CN', value: HOSTILE }] }, serial: '0B' };
  const seen = { target: 'a.test:443', verdict: 'intercepted', chain: [forged], trusted: [genuine] } as const;
  const certificates = ['192.0.2.1', '192.0.2.2'].map((address) => ({ ...seen, address }));
  const page = render({ certificates });
  expect(words({ certificates })).toContain('a.test:443 at 192.0.2.1, 192.0.2.2');
  expect(count(page, '<mark>')).toBe(2);
  expect(page).toContain('<mark>0B</mark>');
  expect(page).toContain(certificatePem(genuine));
  expect(page).not.toContain('<script>alert');
});

describe('a page about strangers', () => {
  const everywhere: Cause = causeOf('tls-blocked', {
    subject: HOSTILE,
    summary: HOSTILE,
    impact: HOSTILE,
    evidence: [HOSTILE, HOSTILE],
    remedySteps: [sentenceStep(HOSTILE), { ...sentenceStep(HOSTILE), commands: HOSTILE, undo: HOSTILE }],
  });
  const told = finding(null, { rule: HOSTILE, subject: HOSTILE, claim: HOSTILE, expected: HOSTILE, actual: HOSTILE });
  const diagnosis = diagnosisOf(START, [everywhere]);
  const silence = { id: 's', cause: null, subject: HOSTILE, from: START, until: NOW + HOUR, by: HOSTILE };
  const page = render({
    site: HOSTILE,
    diagnosis: {
      ...diagnosis,
      preconditions: diagnosis.preconditions.map((status) => ({
        ...status,
        summary: HOSTILE,
        findings: [told, { ...told, level: 'note' }],
      })),
    },
    incidents: timeline().rounds(2, [everywhere]).state.incidents,
    silences: [{ ...silence, comment: HOSTILE }],
    outboxEntries: [outboxEntryOf(firing, { attempts: 1, detail: HOSTILE, recipient: HOSTILE })],
    certificates: [{ target: HOSTILE, address: HOSTILE, verdict: 'unknown', chain: [], trusted: [] }],
    health: { ready: true, problems: [HOSTILE] },
  });

  test('shows markup, control characters and overrides as text', () => {
    expect(page).not.toContain('<script>alert');
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;\\u{7}\\u{202E}\\u{0}xxx');
    // oxlint-disable-next-line no-control-regex -- none of them may be in the page
    expect(page).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f\u202a-\u202e]/u);
    // They do not flood the page.
    expect(page).not.toContain('x'.repeat(1_001));
  });

  test('has no script and no style of its own: the content security policy would refuse them', () => {
    expect([...page.matchAll(/<script[^>]*>[^<]*<\/script>/gu)].map(([script]) => script)).toEqual([
      '<script type="module" src="static/live.js"></script>',
      '<script type="module" src="static/history.js"></script>',
    ]);
    expect(page).not.toMatch(/<style|\sstyle=|\son\w+="/u);
    expect(page).not.toMatch(/(?:src|href)="(?:https?:)?\/\//u);
  });
});

test('a page with everything in it loads in under 100 KiB', () => {
  const causes = [
    causeOf('tls-intercepted', { evidence: Array(8).fill('e'.repeat(200)), remedy: Array(9).fill('r'.repeat(300)) }),
  ];
  const many = incidents(60).map((one, index) =>
    index < 50 ? one : { ...one, status: 'closed' as const, closedAt: START + MINUTE },
  );
  const outboxEntries = many.flatMap((one) =>
    (['firing', 'reminder', 'resolved'] as const).map((event) =>
      outboxEntryOf(incidentNotificationOf(one, { id: `${one.id} ${event}`, event }), {
        attempts: 9,
        detail: 'x'.repeat(300),
      }),
    ),
  );
  const folder = new URL('../../../../src/web/static/', import.meta.url);
  const files = readdirSync(folder).reduce((sum, name) => sum + statSync(new URL(name, folder)).size, 0);
  expect(files).toBeGreaterThan(10_000);
  const page = render({
    diagnosis: diagnosisOf(START, causes),
    incidents: many,
    outboxEntries,
    activity: QUIET_ACTIVITY,
  });
  expect(Buffer.byteLength(page) + files).toBeLessThan(BUDGET);
});
