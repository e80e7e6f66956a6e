import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { startDaemon } from '../../src/demo/daemon.ts';
import type { Daemon } from '../../src/demo/daemon.ts';
import { parseExposition } from '../../test/support/monitoring/exposition.ts';
import type { Size } from './configuration.ts';
import { get } from './get.ts';
import { scrapeBlock } from './scrape-block.ts';
import { lagBetween, valueOf } from './exposed.ts';
import type { Series } from './exposed.ts';
import { filesOf, usageOf } from './usage.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** A size whose rounds are measured. */
export interface MeasuredSize extends Size {
  readonly everySeconds: number;
}

export interface Measured extends MeasuredSize {
  /** From the start of the process to the first response of its page. */
  readonly startMs: number;
  /** From the first response of its page to the end of the first round. */
  readonly firstRoundMs: number;
  readonly rssMegabytes: number;
  readonly cpuMsARound: number;
  readonly roundMs: number;
  readonly lagP50Ms: number;
  readonly lagP99Ms: number;
  readonly mostFiles: number;
  readonly missedRuns: number;
  readonly series: number;
  readonly scrape: Answered;
  /** Longest time for which a scrape blocks everything else. */
  readonly scrapeBlockMs: number;
  readonly status: Answered;
  readonly page: Answered;
  readonly storeMegabytesAnHour: number;
}

export interface Answered {
  readonly ms: number;
  readonly kilobytes: number;
  /** Size for a client that accepts gzip. */
  readonly packedKilobytes: number;
}

/** What happened to the lines of many senders. */
export interface LogLines {
  readonly senders: number;
  readonly sent: number;
  readonly lost: number;
  readonly cpuMicrosecondsALine: number;
}

const SEND = fileURLToPath(new URL('send.ts', import.meta.url));
const ROUNDS = 3;
const LINES_A_SECOND = 2000;
const LOG_SECONDS = 4;
const SETTLE_MS = 1_000;
/** Interval at which /proc is checked for open sockets. */
const LOOK_MS = 20;

/** Starts the daemon, lets it settle for two rounds, and measures the next ones. */
export async function measure(configFile: string, folder: string, size: MeasuredSize): Promise<Measured> {
  const daemon = await measureDaemon(configFile, folder, size);
  // Runs after the daemon has exited, which would otherwise compete for the CPU.
  return { ...daemon, scrapeBlockMs: await scrapeBlock(size) };
}

async function measureDaemon(
  configFile: string,
  folder: string,
  size: MeasuredSize,
): Promise<Omit<Measured, 'scrapeBlockMs'>> {
  const started = performance.now();
  await using daemon = await startDaemon(configFile, folder, MAIN);
  const startMs = performance.now() - started;
  await firstRound(daemon);
  const firstRoundMs = performance.now() - started - startMs;
  await sleep(2000 * size.everySeconds);
  const store = join(folder, 'data', 'ftm-watch.sqlite');
  const rounds = await measureRounds(daemon, size, store);
  const answers = {
    scrape: await timed(daemon, 'metrics'),
    status: await timed(daemon, 'api/v1/status'),
    page: await timed(daemon, ''),
  };
  return { ...size, startMs, firstRoundMs, ...rounds, ...answers };
}

async function firstRound(daemon: Daemon): Promise<void> {
  while ((await get(new URL('-/ready', daemon.url))).status !== 200) await sleep(50);
}

async function exposed(daemon: Daemon): Promise<readonly Series[]> {
  return parseExposition((await get(new URL('metrics', daemon.url))).body);
}

type OfRounds = Pick<
  Measured,
  | 'rssMegabytes'
  | 'cpuMsARound'
  | 'roundMs'
  | 'lagP50Ms'
  | 'lagP99Ms'
  | 'mostFiles'
  | 'missedRuns'
  | 'series'
  | 'storeMegabytesAnHour'
>;

async function measureRounds(daemon: Daemon, { everySeconds }: MeasuredSize, store: string): Promise<OfRounds> {
  const seriesBefore = await exposed(daemon);
  await sleep(500);
  const [bytesBefore, before, began] = [storeBytes(store), usageOf(daemon.pid), performance.now()];
  let mostFiles = 0;
  while (performance.now() - began < ROUNDS * everySeconds * 1000) {
    mostFiles = Math.max(mostFiles, filesOf(daemon.pid));
    await sleep(LOOK_MS);
  }
  const after = usageOf(daemon.pid);
  const series = await exposed(daemon);
  const lag = lagBetween(seriesBefore, series);
  return {
    rssMegabytes: after.rssMegabytes,
    cpuMsARound: ((after.cpuSeconds - before.cpuSeconds) / ROUNDS) * 1000,
    roundMs: valueOf(series, 'ftm_round_duration_seconds') * 1000,
    lagP50Ms: lag(0.5) * 1000,
    lagP99Ms: lag(0.99) * 1000,
    mostFiles,
    missedRuns: valueOf(series, 'ftm_schedule_missed_runs_total'),
    series: series.length,
    storeMegabytesAnHour: ((storeBytes(store) - bytesBefore) / ROUNDS / 2 ** 20) * (3600 / 30),
  };
}

async function timed(daemon: Daemon, path: string): Promise<Answered> {
  const url = new URL(path, daemon.url);
  await get(url);
  const started = performance.now();
  const { body } = await get(url);
  const ms = performance.now() - started;
  return { ms, kilobytes: Buffer.byteLength(body) / 1024, packedKilobytes: gzipSync(body).length / 1024 };
}

/** Sends lines from as many addresses as there are appliances to an otherwise idle daemon. */
export async function measureLines(configFile: string, folder: string, { appliances }: Size): Promise<LogLines> {
  await using daemon = await startDaemon(configFile, folder, MAIN);
  await firstRound(daemon);
  await sleep(SETTLE_MS);
  const received = async (): Promise<number> =>
    (await exposed(daemon))
      .filter(
        ({ name, labels }) =>
          name === 'ftm_log_lines_total' && labels['source'] === 'udp' && labels['result'] !== 'dropped',
      )
      .reduce((sum, { value }) => sum + value, 0);
  const before = await received();
  const cpu = usageOf(daemon.pid).cpuSeconds;
  const args = [daemon.syslogPort ?? 0, appliances, LINES_A_SECOND, LOG_SECONDS].map(String);
  const sender = spawn(process.execPath, [SEND, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const sent = Number(await text(sender.stdout));
  const used = usageOf(daemon.pid).cpuSeconds - cpu;
  const came = (await received()) - before;
  return { senders: appliances, sent, lost: sent - came, cpuMicrosecondsALine: (used / sent) * 1e6 };
}

/** Bytes that SQLite has written, in the database file or its log. */
function storeBytes(path: string): number {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const pragma = (name: string): number => Number(Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
    return pragma('page_count') * pragma('page_size');
  } finally {
    db.close();
  }
}
