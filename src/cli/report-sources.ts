import { readFile } from 'node:fs/promises';
import { release, type } from 'node:os';

import type { Config } from '../config/config.ts';
import { plainConfig } from '../config/print.ts';
import type { EpochMs } from '../core/clock.ts';
import type { Period } from '../core/period.ts';
import { readSecret } from '../system/secret.ts';
import { secretSources, secretUrls } from '../config/secrets.ts';
import type { RoundResult } from '../report/round-result.ts';
import type { LogMemory, ReportSources, Versions } from '../report/report-contents.ts';
import { type StoredHistory, readStoredHistory } from '../store/stored-history.ts';
import { readLogMemory } from './log-memory.ts';
import type { Terminal } from './terminal.ts';

/** Enough for a year of trouble, and small enough for a mail. */
const LIMITS = { incidents: 100, outboxEntries: 300, certificates: 20 } as const;

/** What a daemon with the same store has kept. It is read only; what cannot be read is said in the report. */
export interface Kept {
  readonly storedHistory: StoredHistory;
  readonly logMemory: LogMemory;
}

export async function readKept(config: Config, now: EpochMs): Promise<Kept> {
  return { storedHistory: readStoredHistory(config.store.path, LIMITS), logMemory: await readLogMemory(config, now) };
}

/** What is to be told of: a period, and what was seen in the round and kept. */
export interface ReportSubject extends Omit<Kept, 'storedHistory'> {
  readonly examination: RoundResult;
  readonly period: Period;
  readonly capture: ReportSources['capture'];
}

/** Gathers what belongs to a report beside the round and what was kept. */
export async function reportSources(
  config: Config,
  subject: ReportSubject,
  { clock, env, version }: Pick<Terminal, 'clock' | 'env' | 'version'>,
): Promise<ReportSources> {
  return {
    site: config.site,
    writtenAt: clock.now(),
    versions: await versionsOf(version),
    ...subject,
    storedHistory: readStoredHistory(config.store.path, LIMITS, subject.period),
    configuration: plainConfig(config),
    secrets: await readSecrets(config, env),
  };
}

/** One that cannot be read cannot have been sent to anybody in this round either. */
async function readSecrets(config: Config, env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const read = await Promise.allSettled(secretSources(config).map((source) => readSecret(source, env)));
  const values = read.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  return [...values, ...secretUrls(config)].flatMap(secretPartOf);
}

/** A shorter path, such as `/ftm-watch`, is a part of others. */
const SHORTEST_SECRET_PATH = 16;

/** The secret, and of a URL also what stands behind its host. */
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
