import { once } from 'node:events';
import { pino } from 'pino';

import { App } from '../runtime/app.ts';
import { watchLoop } from '../runtime/watchdog/watch-loop.ts';
import { notifyServiceManager } from '../system/service-manager.ts';
import { EXIT_UNKNOWN } from './exit-code.ts';
import { standardOutput } from './log-output.ts';
import { loadForDaemon, type Invocation, writeIssues } from './terminal.ts';

/**
 * The daemon: returns when it was told to stop.
 * @throws {Error} saying what to do, when it cannot start or cannot go on
 */
export async function run(terminal: Invocation): Promise<number> {
  let reload = (): void => undefined;
  // From the beginning, since nobody listening would end the process; until the file is read, there is nothing to read
  // again.
  terminal.onHangup(() => reload());
  const loaded = await loadForDaemon(terminal);
  if (loaded.kind === 'invalid') {
    writeIssues(loaded, terminal.errors);
    return EXIT_UNKNOWN;
  }
  const { config } = loaded;
  const { clock, env, version, signal } = terminal;
  const logger = pino(
    {
      level: config.log.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
    },
    standardOutput(terminal),
  );
  using _watchdog = watchLoop(clock, logger);
  const death = Promise.withResolvers<never>();
  const app = new App({
    clock,
    env,
    logger,
    version,
    onBound: () => void notifyServiceManager('READY=1', env, logger),
    load: () => loadForDaemon(terminal),
    onDeath: death.reject,
  });
  const started = Promise.withResolvers<void>();
  reload = () => void started.promise.then(() => app.reload());
  logger.info({ version, site: config.site, licenseServer: config.licenseServer.host }, 'Starting');
  await app.start(config);
  started.resolve();
  try {
    await Promise.race([signal.aborted ? null : once(signal, 'abort'), death.promise]);
  } finally {
    logger.info('Stopping');
    await Promise.all([app.stop(), notifyServiceManager('STOPPING=1', env, logger)]);
    logger.info('Stopped');
  }
  return 0;
}
