import { join } from 'node:path';
import { readFile } from 'node:fs/promises';
import { release, type } from 'node:os';
import { type ReportArchive, reportArchive } from '../report/report-archive.ts';
import { capturesOf } from './capture.ts';
import { examine, neededToExamine } from './examine.ts';
import { HISTORY_LIMITS, readStored } from './log-memory.ts';
import { type ReportTarget, reportTarget, type TargetWish, writeWhole } from './report-file.ts';
import { readPeriod, type TypedPeriod } from './report-period.ts';
import { type Invocation, runWithConfig, type Terminal } from './terminal.ts';
import type { Config } from '../config/config.ts';
import { plainConfig, secretSources, secretUrls } from '../config/print.ts';
import type { EpochMs } from '../core/clock.ts';
import type { Period } from '../core/time-text.ts';
import { readSecret } from '../system/secret.ts';
import type { ReportSources, Versions } from '../report/report-contents.ts';
import { readStoredHistory } from '../store/stored-history.ts';

interface ReportWish extends Omit<TargetWish, 'cwd'> {
  readonly period: TypedPeriod;
  readonly captures: readonly string[];
}

export function runReport(wish: ReportWish, terminal: Invocation): Promise<number> {
  return runWithConfig(terminal, neededToExamine, async (config) => {
    const now = terminal.clock.now();
    const period = readPeriod(wish.period, now);
    const target = await reportTarget({ ...wish, cwd: terminal.cwd });
    // The current log verdict uses all stored data, even if the report covers a shorter period.
    const { log, logMemory } = await readStored(config, now);
    const capture = wish.captures.length === 0 ? null : await capturesOf(wish.captures, config, terminal);
    const examination = await examine({ ...terminal, config, log });
    if (terminal.signal.aborted) throw new Error('The report was cancelled. Nothing was written');
    const sources = await reportSources(config, { logMemory, examination, period, capture }, terminal);
    await deliver(reportArchive(sources), target, { force: wish.force, terminal });
    return 0;
  });
}

async function deliver(
  archive: ReportArchive,
  target: ReportTarget,
  { force, terminal }: { readonly force: boolean; readonly terminal: Terminal },
): Promise<void> {
  if (target.kind === 'output') {
    terminal.output.write(archive.bytes);
    terminal.errors.write(summaryOf(archive, 'standard output'));
    return;
  }
  const path = target.kind === 'file' ? target.path : join(target.path, `${archive.folder}.zip`);
  await writeWhole(path, archive.bytes, force);
  terminal.output.write(summaryOf(archive, path));
}

function summaryOf({ bytes, files, folder }: ReportArchive, path: string): string {
  const width = Math.max(...files.map(({ name }) => name.length));
  return [
    `Wrote ${path} (${sizeText(bytes.length)}), which can be attached to a ticket. Contents of ${folder}/:`,
    ...files.map(({ name, size }) => `  ${name.padEnd(width)}  ${sizeText(size)}`),
    'Secrets, user names, mail addresses and phone numbers were removed. ' +
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
  const read = await Promise.allSettled(secretSources(config).map((source) => readSecret(source, env)));
  const values = read.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
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

async function distribution(): Promise<string> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const [, name] = /^PRETTY_NAME="?([^"\n]{1,100})"?$/mu.exec(text) ?? [];
  return name === undefined ? '' : `${name}, `;
}
