import * as z from 'zod';
import { readFile } from 'node:fs/promises';
import { release, type } from 'node:os';
import { type ReportArchive, reportArchive } from '../report/report-archive.ts';
import { capturesOf } from './capture.ts';
import { examine, neededToExamine } from './examine.ts';
import { HISTORY_LIMITS, readStored } from './log-memory.ts';
import { reportTarget, writeTo } from './report-file.ts';
import { configOf, type Invocation, type Terminal } from './terminal.ts';
import type { Config } from '../config/config.ts';
import { headerSources, plainConfig, secretSources, secretUrls } from '../config/print.ts';
import type { EpochMs } from '../core/clock.ts';
import { parseDuration, type Period } from '../core/time-text.ts';
import { showValue } from '../text/show.ts';
import { readHeaders } from '../network/http/secret-headers.ts';
import { readSecret, type SecretSource } from '../system/secret.ts';
import type { ReportSources, Versions } from '../report/report-contents.ts';
import { readStoredHistory } from '../store/stored-history.ts';

export interface ReportOptions extends TypedPeriod {
  readonly output?: string;
  readonly force?: boolean;
  readonly capture?: readonly string[];
}

export async function runReport(
  { output, force = false, capture: captures = [], ...typed }: ReportOptions,
  terminal: Invocation,
): Promise<number> {
  const config = await configOf(terminal, neededToExamine);
  const now = terminal.clock.now();
  const period = readPeriod(typed, now);
  const target = await reportTarget({ typed: output, cwd: terminal.cwd, force });
  // The current log verdict uses all stored data, even if the report covers a shorter period.
  const { log, logMemory } = await readStored(config, now);
  const capture = captures.length === 0 ? null : await capturesOf(captures, config, terminal);
  const examination = await examine({ ...terminal, config, log, outside: 'if suspected' });
  if (terminal.signal.aborted) throw new Error('The report was cancelled. Nothing was written');
  const sources = await reportSources(config, { logMemory, examination, period, capture }, terminal);
  const archive = reportArchive(sources);
  const path = await writeTo(target, `${archive.folder}.zip`, archive.bytes, force, terminal.output);
  const text = summaryOf(archive, path ?? 'standard output');
  (path === null ? terminal.errors : terminal.output).write(text);
  return 0;
}

function summaryOf({ bytes, files, folder }: ReportArchive, path: string): string {
  const width = Math.max(...files.map(({ name }) => name.length));
  return [
    `Wrote ${path} (${sizeText(bytes.length)}), which can be attached to a ticket. Contents of ${folder}/:`,
    ...files.map(({ name, size }) => `  ${name.padEnd(width)}  ${sizeText(size)}`),
    'Secrets, user names, email addresses and phone numbers were removed. ' +
      'For details, see "Removed data" in report.html.',
    'Fortinet TAC needs more files, which only you can collect. add-by-hand/README.txt explains how.',
    '',
  ].join('\n');
}

function sizeText(bytes: number): string {
  return bytes < 1_024 ? `${String(bytes)} bytes` : `${(bytes / 1_024).toFixed(1)} KiB`;
}

async function reportSources(
  config: Config,
  subject: Pick<ReportSources, 'examination' | 'period' | 'capture' | 'logMemory'>,
  { clock, env, version }: Pick<Terminal, 'clock' | 'env' | 'version'>,
): Promise<ReportSources> {
  return {
    site: config.site,
    writtenAt: clock.now(),
    versions: await versionsOf(version),
    ...subject,
    storedHistory: readStoredHistory(config.store.path, HISTORY_LIMITS, subject.period),
    configuration: plainConfig(config),
    secrets: await readSecrets(config, env),
  };
}

/** Unreadable secrets are skipped, because this round could not use them. */
async function readSecrets(config: Config, env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const read = (source: SecretSource): Promise<string> => readSecret(source, env);
  const results = await Promise.allSettled([
    ...secretSources(config).map(async (source) => [await read(source)]),
    ...headerSources(config).map(async (sources) => (await readHeaders(sources, read)).secrets),
  ]);
  const values = results.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
  return [...values, ...secretUrls(config)].flatMap(secretPartOf);
}

/** Shorter paths, such as `/ftm-watch`, also occur in paths that are not secret. */
const SHORTEST_SECRET_PATH = 16;

function secretPartOf(text: string): readonly string[] {
  const url = URL.parse(text);
  const part = `${url?.pathname ?? ''}${url?.search ?? ''}`;
  return part.length < SHORTEST_SECRET_PATH ? [text] : [text, part];
}

async function versionsOf(ftmWatch: string): Promise<Versions> {
  const { node, openssl } = process.versions;
  return { ftmWatch, node, openssl, os: `${await distribution()}${type()} ${release()} ${process.arch}` };
}

/** https://www.freedesktop.org/software/systemd/man/latest/os-release.html */
async function distribution(): Promise<string> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const [, name] = /^PRETTY_NAME="?([^"\n]{1,100})"?$/mu.exec(text) ?? [];
  return name === undefined ? '' : `${name}, `;
}

interface TypedPeriod {
  readonly since?: string;
  readonly until?: string;
}

const instant = z.iso.datetime({ offset: true });
const day = z.iso.date();

/** Both accept a time, a day in UTC or an age such as `3h`. If `--until` is a day, the whole day is included. */
export function readPeriod({ since, until }: TypedPeriod, now: EpochMs): Period {
  const period = {
    since: since === undefined ? null : readInstant('--since', since, { now, dayEnds: false }),
    until: until === undefined ? null : readInstant('--until', until, { now, dayEnds: true }),
  };
  if (period.since !== null && period.since >= (period.until ?? now))
    throw new Error(
      `Cannot create a report from ${showValue(since)} to ${showValue(until ?? 'now')}: ` +
        'the start must be before the end',
    );
  return period;
}

const LAST_OF_DAY = 86_399_999;

function readInstant(option: string, typed: string, { now, dayEnds }: { now: EpochMs; dayEnds: boolean }): EpochMs {
  if (day.safeParse(typed).success) return Date.parse(typed) + (dayEnds ? LAST_OF_DAY : 0);
  if (instant.safeParse(typed).success) return Date.parse(typed);
  const ago = parseDuration(typed);
  if (ago !== null) return now - ago;
  throw new Error(
    `Invalid value for ${option}: expected a time such as "2026-11-24T18:00:00Z", ` +
      `a day such as "2026-11-24" or a duration before now such as "7d", got ${showValue(typed)}`,
  );
}
