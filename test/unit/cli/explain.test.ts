import { describe, expect, test } from 'vitest';
import { explain } from '../../../src/cli/run-logs.ts';
import { createAttribution } from '../../../src/logs/senders.ts';
import { NO_OTHERS } from '../../support/logs/no-others.ts';
import { fixtureLines } from '../../support/logs/fixture-lines.ts';
import { shippedCatalogue } from '../../support/logs/signature-catalogue.ts';
import { textSink } from '../../support/process/text-sink.ts';

const signatures = await shippedCatalogue();
const attribution = createAttribution([{ name: 'fac-1', logSources: ['fac01'] }], NO_OTHERS);

const watched = { hosts: ['fortitokenmobile.fortinet.com'], addresses: ['173.243.138.0/24'], sources: [] };

async function* chunks(...texts: readonly string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield await Promise.resolve(Buffer.from(text));
}

async function run(
  lines: readonly string[],
  json: boolean,
  input = chunks(),
): Promise<{ readonly code: number; readonly text: string }> {
  const output = textSink();
  return { code: await explain({ lines, input, output, json, signatures, attribution, watched }), text: output.text() };
}

const objects = (text: string): readonly Readonly<Record<string, unknown>>[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('explain', () => {
  test('says what a line means and what to do', async () => {
    const { code, text } = await run(
      ['FTM polling error: problem with SSL comm layer: server connection failed: SSL session failed'],
      false,
    );
    expect(code).toBe(0);
    expect(text).toContain('points to tls-interception-suspected');
    expect(text).toMatch(/What to do:\n {4}1\. Exempt FortiAuthenticator's traffic/u);
    expect(text).toContain('Source: ta-p/194050');
  });

  test('prints one object a line, of the fixed shape', async () => {
    const trouble =
      'fac01 db[1]: category="Event" status="" FTM polling error: connection timeout: server connection failed: ' +
      'SSL session failed';
    const { code, text } = await run([trouble, 'hello'], true);
    expect(code).toBe(0);
    expect(objects(text)).toEqual([
      {
        line: trouble,
        recognised: true,
        signature: 'ftm-polling-timeout',
        unusualPlace: false,
        appliance: 'fac-1',
        cause: 'egress-blocked',
        summary: expect.stringContaining('does not answer'),
        remedy: expect.arrayContaining([expect.stringContaining('Allow TCP 443')]),
      },
      {
        line: 'hello',
        recognised: false,
        signature: null,
        unusualPlace: false,
        appliance: null,
        cause: null,
        summary: 'No known FortiToken Mobile error',
        remedy: [],
      },
    ]);
  });

  test('reads standard input when there are no lines, cut anywhere', async () => {
    const { code, text } = await run([], true, chunks('SSL sess', 'ion failed\r\nnothing\n\nlicense exp', 'ired'));
    expect(code).toBe(0);
    expect(objects(text).map(({ signature }) => signature)).toEqual([
      'ssl-session-failed',
      null,
      'license-certificate-expired',
    ]);
  });

  test('fails when nothing was recognised', async () => {
    expect(await run(['hello'], false)).toEqual({ code: 1, text: 'hello\n  No known FortiToken Mobile error.\n\n' });
    expect(await run([], true)).toEqual({ code: 1, text: '' });
  });

  test('names the policy of a firewall line', async () => {
    const { text } = await run([fixtureLines('fortigate-samples.txt')[0] ?? ''], false);
    expect(text).toContain('policy 20, profile custom-deep-inspection, for fortitokenmobile.fortinet.com');
  });

  test('a firewall that inspects what is not the licence server means nothing, as in the stream', async () => {
    const [ours = '', theirs = '', ...others] = fixtureLines('fortigate-samples.txt');
    const { text } = await run([ours, theirs, ...others, 'date=1 subtype="ssl" action="blocked"'], true);
    expect(objects(text).map(({ signature }) => signature)).toEqual([
      'firewall-resigned-untrusted',
      null,
      'firewall-blocked-tls',
      null,
      'firewall-blocked-tls',
    ]);
  });

  test.each([
    'level="error" msg="FTM polling error: SSL session failed"',
    '<6>Aug 10 22:18:24 fac01 db[1]: level="error" msg="FTM polling error: SSL session failed" user=""',
    'Aug 10 22:18:24 collector app: level=error ts=1795514406 message="FTM polling error: SSL session failed"',
    'date=2026-11-24 time=10:00:00 level="error" msg="FTM polling error: SSL session failed"',
    '<6>Aug 10 22:18:24 fac01 db[1]: category="Event" level="error" msg="FTM polling error: SSL session failed"',
    '{"level":"error","host":"fac01","message":"FTM polling error: SSL session failed","user":""}',
  ])('knows a text that a collector put into a field: %s', async (line) => {
    const { code, text } = await run([line], false);
    expect(code).toBe(0);
    expect(text).toContain(
      '\n  Known text in an unusual field. Lines like this are not counted, because anyone can write to this field. ' +
        "Configure the log collector to forward FortiAuthenticator's lines unchanged.\n",
    );
    expect(text).toContain('signature ftm-polling-ssl');
    expect(objects((await run([line], true)).text)).toMatchObject([
      { recognised: true, signature: 'ftm-polling-ssl', unusualPlace: true },
    ]);
  });

  test.each([
    'FTM polling error: SSL session failed',
    'my log says "FTM polling error: SSL session failed"',
    '<6>Aug 10 22:18:24 fac01 db[1]: status=update msg="FTM polling error: SSL session failed"',
  ])('says nothing about the place of %s', async (line) => {
    const { text } = await run([line], false);
    expect(text).toContain('signature ftm-polling-ssl');
    expect(text).not.toContain('unusual field');
  });

  test.each([
    '<6>Aug 10 22:18:24 fac01 db[1]: category="Event" user="" status="Failed" Login of x msg="FTM polling error" ' +
      'failed',
    'date=2026-11-24 time=10:00:00 user="FTM polling error: SSL session failed" msg="Login failed"',
    'date=2026-11-24 time=10:00:00 user="x" msg="FTM polling error: SSL session failed" msg="Login failed"',
    'date=2026-11-24 time=10:00:00 level="warning" msg="license expired"',
  ])('knows nothing of %s', async (line) => {
    expect((await run([line], false)).code).toBe(1);
  });

  test('lets nothing in a line act on the terminal', async () => {
    const { text } = await run(['SSL session failed \x1b]0;title\x07\x1b[31m'], false);
    expect(text).not.toMatch(/[^\P{Cc}\n]/u);
  });
});
