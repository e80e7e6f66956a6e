import { EventEmitter, once } from 'node:events';
import { resolve } from 'node:path';
import { hostname } from 'node:os';
import { pino } from 'pino';
import { loadConfig, localFiles, type LoadResult } from '../../../src/config/load.ts';
import { formatIssue } from '../../../src/config/issues.ts';
import { Daemon } from '../../../src/runtime/daemon.ts';
import { systemClock } from '../../../src/system/clock.ts';
import type { Clock } from '../../../src/core/clock.ts';
import type { Ended, LogLine } from '../../../src/demo/daemon.ts';
import { askable, type DaemonOptions, type DaemonProcess } from './daemon-process.ts';

interface DaemonHere {
  readonly cwd: string;
  /** Name of the configuration file. */
  readonly config: string;
  readonly env?: DaemonOptions['env'];
  readonly clock?: Clock;
}

/**
 * As `startDaemonProcess`, but in this process, which takes a fraction of the CPU time. Understands only SIGHUP, SIGINT
 * and SIGTERM.
 */
export function startDaemonHere({ cwd, config: path, env = {}, clock = systemClock }: DaemonHere): DaemonProcess {
  const log: LogLine[] = [];
  const news = new EventEmitter().setMaxListeners(0);
  const write = (line: string): void => {
    log.push(JSON.parse(line) as LogLine);
    news.emit('line');
  };
  const logger = pino(
    { base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (level) => ({ level }) } },
    { write },
  );
  const load = (): Promise<LoadResult> =>
    loadConfig({
      path: resolve(cwd, path),
      checkout: null,
      onCheckoutFile: () => undefined,
      env,
      hostname: hostname(),
      cwd,
      files: localFiles,
    });
  const stopping = new AbortController();
  const daemon = new Daemon({ clock, env, logger, version: '0.1.0', hostname: hostname(), load });

  async function live(): Promise<Ended> {
    try {
      const loaded = await load();
      if (loaded.kind === 'invalid') throw new Error(loaded.issues.map(formatIssue).join('\n'));
      logger.level = loaded.config.log.level;
      logger.info({ event: 'starting' }, 'Starting');
      await daemon.start(loaded.config);
      await daemon.run(stopping.signal);
      return { code: 0, stderr: '' };
    } catch (error) {
      return { code: 3, stderr: `${error instanceof Error ? error.message : String(error)}\n` };
    } finally {
      await daemon.stop();
      logger.info({ event: 'stopped' }, 'Stopped');
    }
  }

  const signal = (name: NodeJS.Signals): void => {
    if (name === 'SIGHUP') void daemon.reload();
    else if (name === 'SIGTERM' || name === 'SIGINT') stopping.abort();
    else throw new Error(`Cannot send ${name}: the daemon runs in this process`);
  };
  let end: Ended | null = null;
  const ended = live().then((last) => {
    end = last;
    news.emit('line');
    return last;
  });
  async function logged(event: string, skip = 0): Promise<LogLine> {
    for (;;) {
      const found = log.filter((line) => line.event === event)[skip];
      if (found !== undefined) return found;
      if (end !== null) throw new Error(`The daemon ended before it logged "${event}": ${end.stderr}`);
      await once(news, 'line');
    }
  }
  const dispose = (): Promise<void> => Promise.resolve(signal('SIGTERM'));
  return askable({ pid: process.pid, log, ended, logged, [Symbol.asyncDispose]: dispose }, signal, 'SIGTERM');
}
