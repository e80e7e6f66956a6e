import { execFileSync } from 'node:child_process';
import type { DiagnosisJson } from '../../../src/checks/diagnosis-json.ts';
import { limitDescriptors } from './descriptor-limit.ts';
import { startDaemonProcess, type DaemonProcess } from '../../support/process/daemon-process.ts';
import type { Hosted } from '../../support/process/host.ts';
import { runFtmWatch, type Run } from '../../support/process/ftm-watch.ts';
import { watchRounds, type RoundWatcher } from '../../support/process/round-watcher.ts';

export interface DriverSettings {
  readonly folder: string;
  /** Configuration files in the folder: for the daemon, and for one `check` each. */
  readonly daemon: string;
  readonly checks: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** A command prefix that starts another command. */
  readonly prefix: readonly string[];
  /** Shell commands. */
  readonly break: string;
  readonly repair: string;
  /** Number of files and sockets that the daemon can open in addition to those that it keeps; null: unlimited. */
  readonly descriptors: number | null;
  /** Queries for `/probe`. */
  readonly probes: readonly string[];
}

/** One conclusion of the program. */
export interface Verdict {
  readonly ready: DiagnosisJson['ready'];
  /** Severity, name and confidence of each cause. */
  readonly causes: readonly string[];
  /** Preconditions of the path, and requirements of this machine, that are not ok. */
  readonly unclear: readonly string[];
}

export interface DriverReport {
  /** One for each configuration; null: there was no conclusion. */
  readonly checks: readonly (Verdict | null)[];
  /** The daemon's second round after the network was broken, or a later one. */
  readonly daemon: Verdict;
  /** The first round after the daemon was restarted. */
  readonly restarted: Verdict;
  /** HTTP status of each `/probe`; 0: no answer. */
  readonly probes: readonly number[];
  /** HTTP status of `/-/healthy`, of both daemons. */
  readonly healthy: readonly number[];
  /** How both daemons exited after they were asked to. */
  readonly ends: readonly { readonly code: number | null; readonly stderr: string }[];
  /** Unexpected output on standard error, and log lines that report a bug. */
  readonly problems: readonly string[];
  /** Evidence of each cause, to explain failures of a test. */
  readonly evidence: readonly string[];
}

/** The path, and the requirements of this machine: everything that works again as soon as the network does. */
const PATH = ['internet', 'name-resolution', 'reachability', 'tls-genuine', 'license-server', 'mail', 'clock'];

/** A round without any answers takes 15 s. */
const WITHIN = 60_000;
const PROBE_LIMIT = 20_000;

/**
 * Starts the daemon, breaks the network, records the conclusions of the daemon, `check` and `/probe`, restarts the
 * daemon, repairs the network, and waits until all is well.
 */
export async function host(settings: DriverSettings): Promise<Hosted<DriverReport, never>> {
  const { folder: cwd, env, prefix } = settings;
  const start = (): DaemonProcess => startDaemonProcess({ cwd, args: ['-c', settings.daemon], env, prefix });
  await using first = start();
  const page = await first.page();
  await using rounds = await watchRounds(page);
  await untilWell(rounds);
  sh(settings.break);
  const limit = settings.descriptors === null ? null : await limitDescriptors(first.pid, settings.descriptors);
  const probes = await Promise.all(settings.probes.map((query) => statusOf(`${page}/probe?${query}`)));
  // Run one after the other, because processes that start together miss their own deadlines.
  const checks: Run[] = [];
  for (const file of settings.checks) checks.push(await check(file, settings));
  // All rounds that began before the network was broken have ended then.
  await rounds.more(1, WITHIN);
  const daemon = await rounds.next(isJudged, WITHIN);
  limit?.[Symbol.dispose]();
  const healthy = [await statusOf(`${page}/-/healthy`)];
  const ends = [await first.end('SIGTERM')];

  await using second = start();
  await using again = await watchRounds(await second.page());
  const restarted = again.diagnoses.find(isJudged) ?? (await again.next(isJudged, WITHIN));
  healthy.push(await statusOf(`${await second.page()}/-/healthy`));
  sh(settings.repair);
  await untilWell(again);
  ends.push(await second.end('SIGTERM'));
  const checked = checks.map(({ stdout }) => (stdout === '' ? null : (JSON.parse(stdout) as DiagnosisJson)));
  const report: DriverReport = {
    checks: checked.map((diagnosis) => (diagnosis === null ? null : verdictOf(diagnosis))),
    daemon: verdictOf(daemon),
    restarted: verdictOf(restarted),
    probes,
    healthy,
    ends: ends.map(({ code, stderr }) => ({ code, stderr })),
    evidence: [...checked, daemon, restarted]
      .flatMap((diagnosis) => diagnosis?.causes ?? [])
      .map(({ id, evidence }) => `${id}: ${evidence.join('; ')}`),
    problems: [
      ...checks.map(({ stderr }) => stderr).filter((text) => text !== ''),
      ...[first, second].flatMap(({ log }) => log).flatMap(({ event }) => (event === 'run-failed' ? [event] : [])),
    ],
  };
  return { ready: report };
}

/** A busy machine also delays the program. Such a round is not counted; the next one is. */
function isJudged({ preconditions }: DiagnosisJson): boolean {
  return preconditions.every(({ summary }) => !summary.startsWith('ftm-watch itself stalled'));
}

async function check(file: string, { folder: cwd, env, prefix }: DriverSettings): Promise<Run> {
  const run = (): Promise<Run> => runFtmWatch(['check', '--json', '--timeout', '30', '-c', file], { cwd, env, prefix });
  const first = await run();
  return first.stdout === '' || isJudged(JSON.parse(first.stdout) as DiagnosisJson) ? first : run();
}

async function untilWell(rounds: RoundWatcher): Promise<void> {
  await rounds.next(
    ({ causes, preconditions }) =>
      causes.length === 0 && preconditions.every(({ id, state }) => state === 'ok' || !PATH.includes(id)),
    WITHIN,
  );
}

function sh(command: string): void {
  execFileSync('sh', ['-ec', command], { stdio: 'inherit' });
}

/** 0: no answer. */
async function statusOf(url: string): Promise<number> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PROBE_LIMIT) });
    await response.text();
    return response.status;
  } catch {
    return 0;
  }
}

function verdictOf({ ready, causes, preconditions }: DiagnosisJson): Verdict {
  return {
    ready,
    causes: causes.map(({ severity, id, confidence }) => `${severity} ${id} ${confidence}`),
    unclear: preconditions.filter(({ id, state }) => PATH.includes(id) && state !== 'ok').map(({ id }) => id),
  };
}
