import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { REMEDY_WHEN_OVER } from '../../../src/document/incident-story.ts';

import type { ReportData } from '../../../src/report/report-data.ts';
import { runHere } from '../../support/process/command-line.ts';
import { type Unzipped, unzip } from '../../support/process/unzipped.ts';
import { createWatchedLab } from '../../support/network/lab-check.ts';

/** Long enough to be evidence rather than a word or a name. */
const LONG_TEXT = 60;
const BEFORE_COMMANDS = /^(?:Undo|FortiGate CLI|Shell|FILL-IN)\b/u;

/** A time before the firewall started to inspect. */
let before: number;
/** How long it inspected, in milliseconds. */
let inspected: number;
let broken: Unzipped;
let repaired: Unzipped;

const watched = await createWatchedLab({ schedule: { probes: '*/2 * * * * *' } });
const { lab, daemon, told } = watched;
afterAll(() => watched[Symbol.asyncDispose]());

beforeAll(async () => {
  await ready();
  before = Date.now();
  await lab.inspect(true);
  // The firewall has been asked for its policy as well.
  await daemon.diagnosis(({ causes }) => causes.some((cause) => JSON.stringify(cause).includes('policy 5')));
  await told('firing', 'tls-intercepted');
  broken = await report('broken');
  // A burst of connections that sees the repair would show an intermittent fault.
  let rounds = 0;
  await daemon.diagnosis(() => {
    rounds += 1;
    return rounds > 3;
  });
  // The path first: a round that sees the repaired policy beside the old path does not know who inspects.
  await lab.firewall.setMode({ kind: 'off' });
  inspected = Date.now() - before;
  await daemon.diagnosis(({ preconditions }) =>
    preconditions.some(({ id, state }) => id === 'tls-genuine' && state === 'ok'),
  );
  await lab.inspect(false);
  await told('resolved', 'tls-intercepted');
  repaired = await report('repaired');
});

async function ready(): Promise<void> {
  await daemon.diagnosis(({ ready: now }) => now === 'ready');
}

async function report(name: string, ...args: readonly string[]): Promise<Unzipped> {
  const run = await runHere(['report', '-c', lab.configFile, '-o', `${name}.zip`, ...args], { cwd: lab.folder });
  expect(run).toMatchObject({ exitCode: 0, stderr: '' });
  return unzip(join(lab.folder, `${name}.zip`));
}

function dataOf(of: Unzipped): ReportData {
  return JSON.parse(of.text('report.json')) as ReportData;
}

/** Returns the text before the appendices, without markup. */
function firstPageOf(of: Unzipped): string {
  return (of.text('report.html').split('<nav')[0] ?? '').replaceAll(/<style>[^]*<\/style>|<[^>]+>/gu, ' ');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}

describe('a report', () => {
  test('names the gateway on its first page while it is there', () => {
    const page = firstPageOf(broken);
    expect(page).toMatch(/is inspected by FortiGate \S+, policy \d+/u);
    expect(page).toMatch(/Certificates issued by\s+FGVMEV0000000001\s+were seen from 20\S+ \S+ UTC to /u);
  });

  test('names it after the repair too, from when to when', () => {
    const { check, issuers } = dataOf(repaired);
    expect(check.ready).toBe('ready');
    const page = firstPageOf(repaired);
    expect(page).toMatch(/Resolved: \W*TLS .* is inspected by FortiGate \S+, policy \d+/u);
    const time = String.raw`20\d\d-\d\d-\d\d \S+ UTC`;
    expect(page).toMatch(new RegExp(`The fault was seen from ${time} to ${time}, about \\d+ s\\.`, 'u'));
    expect(page).toMatch(new RegExp(` now, at ${time}`, 'u'));
    expect(repaired.text('report.html')).toMatch(/<strong class="good">/u);
    const [, seconds] = /, about (\d+) s\./u.exec(page) ?? [];
    // Within one 2 s round, which takes longer on a busy machine.
    expect(Math.abs(Number(seconds) - inspected / 1_000)).toBeLessThanOrEqual(5);
    for (const name of ['impact', 'When', REMEDY_WHEN_OVER]) expect(page).toContain(` ${name} `);
    expect(page).not.toMatch(/\b(?:Since|to now)\b/u);
    expect(page).toMatch(/Certificates issued by\s+FGVMEV0000000001\s+were seen from 20\S+ \S+ UTC to /u);
    expect(page).not.toMatch(/Certificates issued by\s+fortinet-subca2001/u);
    const gateway = issuers.find(({ name }) => name === 'FGVMEV0000000001');
    expect(Date.parse(gateway?.firstSeen ?? '')).toBeGreaterThan(before);
    expect(gateway).toMatchObject({ verdict: null, target: expect.stringContaining('fortitokenmobile') });
    expect(issuers.find(({ name }) => name === 'fortinet-subca2001')).toMatchObject({ verdict: 'genuine' });
  });

  test.each(['broken', 'repaired'])('prints nothing twice: %s', (name) => {
    const html = (name === 'broken' ? broken : repaired).text('report.html');
    // Texts between tags, except names in certificates, which are printed as sent, and introductions to commands.
    const texts = html
      .replaceAll(/<style>[^]*<\/style>|<dt>Issuer<\/dt><dd>[^<]*|<dt>Subject<\/dt><dd>[^<]*/gu, '')
      .split(/<[^>]+>|\n/u)
      .map((text) => text.trim())
      .filter((text) => text.length > LONG_TEXT && !BEFORE_COMMANDS.test(text));
    expect(texts.length).toBeGreaterThan(10);
    expect(texts.filter((text, index) => texts.indexOf(text) !== index)).toEqual([]);
    // Each line of evidence occurs once, including as part of another line.
    const evidence = dataOf(broken).check.causes.flatMap((cause) => cause.evidence);
    const whole = html.replaceAll(/<[^>]+>/gu, '');
    const timesOf = (line: string): number => whole.split(escaped(line).slice(-LONG_TEXT)).length - 1;
    expect(evidence.map(timesOf)).toEqual(evidence.map(() => 1));
    expect(evidence.length).toBeGreaterThan(1);
  });

  test('tells of the period that is asked for, and of nothing else', async () => {
    const past = await report('past', '--since', '2h', '--until', new Date(before).toISOString());
    const { timeline, issuers, period } = dataOf(past);
    expect(period.until).toBe(new Date(before).toISOString());
    expect(timeline.incidents).toEqual([]);
    expect(issuers.map(({ name }) => name)).not.toContain('FGVMEV0000000001');
    expect(firstPageOf(past)).toContain('No faults were found');

    const whole = await report('whole', '--since', new Date(before).toISOString());
    expect(dataOf(whole).timeline.incidents.map(({ cause }) => cause)).toContain('tls-intercepted');
  });

  test('refuses a period that is none', async () => {
    const run = await runHere(['report', '-c', lab.configFile, '--since', 'then'], { cwd: lab.folder });
    expect(run).toMatchObject({
      exitCode: 3,
      stdout: '',
      stderr: expect.stringMatching(/^Invalid value for --since: expected a time such as/u),
    });
  });
});
