import { readdirSync, statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { sentenceStep, PRECONDITION_STATES, type Cause } from '../../../../src/engine/model.ts';
import type { Certificate } from '../../../../src/core/certificate.ts';
import { certificatePem, parseCertificate } from '../../../../src/core/parse-certificate.ts';
import { CHECKS } from '../../../../src/checks/registry.ts';
import { renderStatusPage } from '../../../../src/web/page/status-page.ts';
import { STATE_WORDS } from '../../../../src/document/html.ts';
import { createIdentity, type Identity } from '../../../../src/demo/lab/identity.ts';
import { causeOf, diagnosisOf } from '../../../support/checks/diagnosis-of.ts';
import { START, timeline } from '../../../support/store/incident-timeline.ts';
import { QUIET_ACTIVITY, sourcesOf, webState, type WebState } from '../../../support/web/web-sources.ts';

const HOSTILE = `<script>alert(1)</script>"'\u0007\u202e\u0000${'x'.repeat(10_000)}`;
const BUDGET = 100 * 1024;

function render(more: Partial<WebState> = {}): string {
  return renderStatusPage(sourcesOf(webState({ diagnosis: diagnosisOf(START, []), ...more })), START + 5_000);
}

function incidents(count: number) {
  const causes = Array.from({ length: count }, (_, index) =>
    causeOf('mail-unreachable', { subject: `mail-${String(index)}.example.org:25` }),
  );
  return timeline({ maxPerHour: 1_000 }).rounds(2, causes).state.incidents;
}

/** Returns the visible text, without tags and with single spaces. */
function words(page: string): string {
  return page
    .replaceAll(/<wbr><span class="port">([^<]*)<\/span>/gu, '$1')
    .replaceAll(/<[^>]*>/gu, ' ')
    .replaceAll(/\s+/gu, ' ')
    .trim();
}

function count(page: string, part: string): number {
  return page.split(part).length - 1;
}

function certificateOf(identity: Identity): Certificate {
  const certificate = parseCertificate(identity.der);
  if (certificate === null) throw new Error('The identity is no certificate');
  return certificate;
}

describe('renderStatusPage()', () => {
  test('says that it is starting before the first round', () => {
    const page = render({ diagnosis: null });

    expect(page).toContain('data-word="Starting"');
    expect(page).toContain('id="activity"');
  });

  test('says that everything works', () => {
    const page = render();

    expect(words(page)).toContain('Ready All configured checks pass.');
    expect(page).toContain('<title>Ready – hq – ftm-watch</title>');
    expect(page).not.toContain('class="cut"');
  });

  test('shows the place of the break, the cause, its evidence and what to do', () => {
    const step = { ...sentenceStep('Look again.'), commands: 'ftm-watch check\na <b', syntax: 'shell' } as const;
    const cause = causeOf('tls-intercepted', { remedySteps: [step] });
    const page = render({ diagnosis: diagnosisOf(START, [cause]) });

    expect(words(page)).toMatch(/Not ready: [a-z ]+ Summary of tls-intercepted/u);
    expect(page).toMatch(
      /<li class="stop bad" data-leads="cut">\s*<span class="node">[^\n]*\n<span class="about"><strong>Firewall<\/strong>/u,
    );
    expect(words(page)).toContain('The path is broken here, so Internet is not reached.');
    expect(words(page)).toContain(
      'Impact New tokens cannot be activated. Runbook Evidence Evidence of tls-intercepted',
    );
    // Only the block itself is selected and copied.
    expect(page).toContain('<pre class="command" data-copy tabindex="0">ftm-watch check\na &lt;b\n</pre>');
    // The sentence appears only once, above.
    expect(count(page, 'Summary of tls-intercepted')).toBe(1);
  });

  test('leads from a cause to its incident and its runbook', () => {
    const cause = causeOf('mail-unreachable', { subject: 'mail-0.example.org:25' });
    const [incident] = incidents(1);
    const page = render({ diagnosis: diagnosisOf(START, [cause]), incidents: incidents(1) });

    expect(page).toContain(`<a href="incidents/${incident?.id ?? ''}">Acknowledge, silence, timeline</a>`);
    expect(page).toContain('<a href="runbooks/mail-unreachable">Runbook</a>');
  });

  test.each(PRECONDITION_STATES)('says "%s" by colour, sign and word', (state) => {
    const page = render({ diagnosis: diagnosisOf(START, [], { mail: state }) });

    expect(page).toMatch(new RegExp(`<strong>Mail</strong>.*<span class="word">${STATE_WORDS[state]}</span>`, 'u'));
    expect(page).toMatch(
      new RegExp(
        '<span class="name">Mail</span><span class="badge (\\w+)"><svg class="sign ' +
          `\\1".*#sign-\\1.*${STATE_WORDS[state]}`,
        'u',
      ),
    );
  });

  test('lists every precondition, with its notes', () => {
    const diagnosis = diagnosisOf(START, []);
    const note = {
      rule: 'some-rule',
      subject: 'mail.example.org:25',
      claim: 'It greets politely.',
      expected: '',
      actual: 'greets politely',
      level: 'note',
      suggests: null,
    } as const;
    const page = render({
      diagnosis: {
        ...diagnosis,
        preconditions: diagnosis.preconditions.map((status) => ({ ...status, findings: [note] })),
      },
    });

    expect(count(page, 'class="name"')).toBe(CHECKS.length);
    expect(count(page, 'mail.example.org<wbr><span class="port">:25</span>: It greets politely.')).toBe(CHECKS.length);
  });

  test('does not call trouble of its own the fault of the target', () => {
    const page = words(render({ health: { ready: true, problems: ['The store cannot be written'] } }));

    expect(page).toContain('Ready All configured checks pass.');
    expect(page).toContain('ftm-watch itself The store cannot be written');
  });

  test('tells what the daemon is doing', () => {
    const activity = {
      ...QUIET_ACTIVITY,
      lastReload: { at: START, taken: false },
      storeWritable: false,
      notificationsPending: 3,
    };

    expect(words(render({ activity }))).toContain(
      'Last round 5 s ago , took 1.2 s Next round due in 25 s Configuration Rejected 5 s ago , the previous one is still active ' +
        'Store Not writable Notifications 3 pending Log lines 1204, the last one 25 s ago Running since 1 d ago',
    );
    expect(
      words(render({ activity: { ...QUIET_ACTIVITY, lastRound: null, nextRound: null, logLines: null } })),
    ).toContain(
      'Last round None yet Next round None planned Configuration Not reloaded since startup Store Writable ' +
        'Notifications None pending Log lines Not received',
    );
  });
});

describe('renderStatusPage() with incidents', () => {
  test('has none', () => {
    expect(words(render())).toContain('Open incidents 0 None.');
  });

  test('has one, and says since when and who was told', () => {
    expect(words(render({ incidents: incidents(1) }))).toMatch(
      /Open incidents 1 Critical mail-unreachable Summary of mail-unreachable Since 5 s ago \. Notified .*, once in total\./u,
    );
  });

  test('has fifty, and leaves those that nobody reads to the JSON', () => {
    const page = words(render({ incidents: incidents(50) }));

    expect(page).toContain('Open incidents 50');
    expect(count(page, 'Summary of mail-unreachable')).toBe(20);
    expect(page).toContain('and 30 more: as JSON');
  });

  test('folds those that are over', () => {
    const line = timeline()
      .rounds(2, [causeOf('tls-blocked')])
      .rounds(2, []);

    expect(words(render({ incidents: line.state.incidents }))).toMatch(
      /Open incidents 0 None\. Resolved within 7 days: 1 tls-blocked .* lasted at least 30 s/u,
    );
  });
});

describe('renderStatusPage() with certificates', () => {
  test('marks what differs from the trusted chain, and nothing else', async () => {
    const genuine = certificateOf(await createIdentity({ name: 'O=Fortinet, CN=license.example.test', serial: '0A' }));
    const forged = { ...genuine, issuer: { attributes: [{ type: 'CN', value: HOSTILE }] }, serial: '0B' };
    const seen = {
      target: 'license.example.test:443',
      verdict: 'intercepted',
      chain: [forged],
      trusted: [genuine],
    } as const;
    const page = render({
      certificates: [
        { ...seen, address: '192.0.2.1' },
        { ...seen, address: '192.0.2.2' },
      ],
    });

    expect(words(page)).toContain('Intercepted license.example.test:443 at 192.0.2.1, 192.0.2.2');
    expect(count(page, '<mark>')).toBe(2);
    expect(page).toContain('<mark>0B</mark>');
    expect(page).toContain(certificatePem(genuine));
    expect(page).not.toContain('<script>alert');
  });

  test('says so when no certificate was sent, and when there is nothing to compare with', async () => {
    const genuine = certificateOf(await createIdentity({ name: 'CN=license.example.test' }));
    const page = words(
      render({
        certificates: [
          { target: 'license.example.test:443', address: '192.0.2.1', verdict: 'blocked', chain: [], trusted: [] },
          { target: 'push.example.test:443', address: '192.0.2.2', verdict: 'unknown', chain: [genuine], trusted: [] },
        ],
      }),
    );

    expect(page).toContain('at 192.0.2.1: no certificate was sent');
    expect(page).toContain('There is no learned chain for comparison. To learn it, run ftm-watch trust learn');
  });
});

describe('renderStatusPage() and strangers', () => {
  const everywhere: Cause = causeOf('tls-blocked', {
    subject: HOSTILE,
    summary: HOSTILE,
    impact: HOSTILE,
    evidence: [HOSTILE, HOSTILE],
    remedySteps: [sentenceStep(HOSTILE), { ...sentenceStep(HOSTILE), commands: HOSTILE, undo: HOSTILE }],
  });
  const finding = {
    rule: HOSTILE,
    subject: HOSTILE,
    claim: HOSTILE,
    expected: HOSTILE,
    actual: HOSTILE,
    level: 'broken',
    suggests: null,
  } as const;
  const diagnosis = diagnosisOf(START, [everywhere]);
  const page = render({
    site: HOSTILE,
    diagnosis: {
      ...diagnosis,
      preconditions: diagnosis.preconditions.map((status) => ({
        ...status,
        summary: HOSTILE,
        findings: [finding, { ...finding, level: 'note' }],
      })),
    },
    incidents: timeline().rounds(2, [everywhere]).state.incidents,
    certificates: [{ target: HOSTILE, address: HOSTILE, verdict: 'unknown', chain: [], trusted: [] }],
    health: { ready: true, problems: [HOSTILE] },
  });

  test('shows markup, control characters and overrides as text', () => {
    expect(page).not.toContain('<script>alert');
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;\\u{7}\\u{202E}\\u{0}xxx');
    // oxlint-disable-next-line no-control-regex -- none of them may be in the page
    expect(page).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f\u202a-\u202e]/u);
  });

  test('does not let them flood the page', () => {
    expect(page).not.toContain('x'.repeat(1_000));
  });

  test('has no script and no style of its own: the content security policy would refuse them', () => {
    expect([...page.matchAll(/<script[^>]*>[^<]*<\/script>/gu)].map(([tag]) => tag)).toEqual([
      '<script type="module" src="static/live.js"></script>',
      '<script type="module" src="static/history.js"></script>',
    ]);
    expect(page).not.toMatch(/<style|\sstyle=|\son\w+="/u);
    expect(page).not.toMatch(/(?:src|href)="(?:https?:)?\/\//u);
  });
});

describe('renderStatusPage() within its budget', () => {
  test('loads in under 100 KiB, with everything broken', () => {
    const causes = [
      causeOf('tls-intercepted', { evidence: Array(8).fill('e'.repeat(200)), remedy: Array(9).fill('r'.repeat(300)) }),
    ];
    const page = render({ diagnosis: diagnosisOf(START, causes), incidents: incidents(50) });
    const folder = new URL('../../../../src/web/static/', import.meta.url);
    const files = readdirSync(folder).reduce((sum, name) => sum + statSync(new URL(name, folder)).size, 0);

    expect(files).toBeGreaterThan(10_000);
    expect(Buffer.byteLength(page) + files).toBeLessThan(BUDGET);
  });
});
