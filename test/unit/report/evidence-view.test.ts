import { describe, expect, test } from 'vitest';
import { diagnosisToJson } from '../../../src/engine/diagnosis-json.ts';
import type { ReportData } from '../../../src/report/report-data.ts';
import { reportHtml } from '../../../src/report/report-html.ts';
import type { CertificateJson } from '../../../src/report/seen.ts';
import { diagnosisOf } from '../../support/checks/diagnosis-of.ts';

const AT = '2026-11-24T13:00:00.000Z';

/** Returns the appendix with this ID. */
function appendix(id: string, data: Partial<ReportData>): string {
  const page = reportHtml(
    {
      version: 1,
      site: 'hq',
      writtenAt: AT,
      period: { since: null, until: AT },
      versions: { ftmWatch: '1.2.3', node: '26', openssl: '3.5', os: 'Linux' },
      check: diagnosisToJson(diagnosisOf(Date.parse(AT), [])),
      round: {},
      chains: [],
      issuers: [],
      timeline: { note: null, incidents: [], events: [] },
      logExcerpts: { note: null, dropped: 0, lines: [] },
      configuration: {},
      masked: { 'user-name': 0, 'mail-address': 0, 'phone-number': 0, code: 0, password: 0 },
      ...data,
    },
    { answers: '', byHand: [], files: [] },
  );
  const [, content = ''] = page.split(`<div id="${id}">`);
  return (content.split('</div></details>')[0] ?? '').trim();
}

const certificates = (chains: ReportData['chains']): string => appendix('certificates', { chains });
const timeline = (part: Partial<ReportData['timeline']>): string =>
  appendix('timeline', { timeline: { note: null, incidents: [], events: [], ...part } });

const CERTIFICATE: CertificateJson = {
  subject: 'CN=a',
  issuer: 'CN=b',
  serial: '01',
  notBefore: '2026-01-01T00:00:00Z',
  notAfter: '2027-01-01T00:00:00Z',
  isAuthority: false,
  names: [],
  key: 'RSA 2048',
  pin: 'sha256/p',
  signatureAlgorithm: null,
  sha256: 'ab',
};
const CHAIN = {
  file: 'a.pem',
  target: 'a:443',
  way: '192.0.2.1',
  judgement: null,
  certificates: [CERTIFICATE],
  dropped: 0,
};

describe('certificates', () => {
  test('that were not sent are said to be none', () => {
    expect(certificates([])).toBe('<p>No certificate was sent in this round.</p>');
  });

  test('have no verdict, names or losses where there are none', () => {
    const html = certificates([CHAIN]);
    expect(html).toContain('<h3>a:443 · 192.0.2.1</h3>');
    expect(html).toContain('<p class="quiet"><code>certificates/a.pem</code></p>');
    expect(html).toContain('<dt>Valid</dt><dd>2026-01-01T00:00:00Z to 2027-01-01T00:00:00Z</dd>');
    expect(html).not.toMatch(/Verdict|settle|Names|null/u);
  });

  test('have what there is', () => {
    const judgement = {
      verdict: 'intercepted',
      confidence: 'confirmed',
      summary: 'By a device.',
      settle: null,
    } as const;
    const html = certificates([
      { ...CHAIN, judgement, dropped: 2, certificates: [{ ...CERTIFICATE, names: ['a', 'b'] }] },
    ]);
    expect(html).toContain('<p>Verdict: intercepted (confirmed). By a device.</p>');
    expect(html).toContain('</code>, 2 more certificates left out (unreadable or over the limit)</p>');
    expect(html).toContain('<dt>Names</dt><dd>a, b</dd>');
    expect(html).not.toContain('settle');
    const open = certificates([{ ...CHAIN, judgement: { ...judgement, settle: 'Ask again' } }]);
    expect(open).toContain('<p>For a definite result, Ask again.</p>');
  });
});

describe('the timeline', () => {
  const event = { at: '2026-01-01T00:00:00Z', kind: 'opened', incident: null, text: 'It began' } as const;

  test('is empty, unknown, or both told apart', () => {
    expect(timeline({})).toBe('<p>No incidents are stored.</p>');
    expect(timeline({ note: 'No store' })).toBe('<p>No store.</p>');
  });

  test('has a line for each event', () => {
    const html = timeline({ events: [event, { ...event, incident: 'i-1' }] });
    expect(html).not.toContain('No incidents are stored');
    expect(html).toContain('<td>2026-01-01T00:00:00Z</td><td></td><td>It began</td>');
    expect(html).toContain('<td>2026-01-01T00:00:00Z</td><td>i-1</td><td>It began</td>');
  });
});

test('log lines: with what is missing, and why', () => {
  const line = {
    at: '2026-01-01T00:00:00Z',
    from: 'fac-1',
    signature: 'ftm-polling-ssl',
    count: 3,
    line: 'FTM polling error',
  };
  const whole = appendix('log', { logExcerpts: { note: null, dropped: 0, lines: [line] } });
  expect(whole).toBe(
    '<p class="quiet">2026-01-01T00:00:00Z · fac-1 · <code>ftm-polling-ssl</code> · ×3</p><pre>FTM polling error</pre>',
  );
  const part = appendix('log', { logExcerpts: { note: 'No log', dropped: 4, lines: [] } });
  expect(part).toContain('<p>No log.</p>');
  expect(part).toContain('<p>4 more lines matched, but only the latest lines of each kind are stored.</p>');
});
