import { pino } from 'pino';

import { App } from '../app.ts';
import { EXIT_UNKNOWN } from './exit-code.ts';
import { load, loadOrExplain, type Terminal } from './terminal.ts';

/** The daemon: returns when it was told to stop. */
export async function run(path: string | undefined, terminal: Terminal): Promise<number> {
  const config = await loadOrExplain(path, terminal);
  if (config === null) return EXIT_UNKNOWN;
  const { clock, env, version, signal } = terminal;
  const logger = pino({ level: config.log.level, base: null, timestamp: pino.stdTimeFunctions.isoTime });
  const app = new App({ clock, env, logger, version, load: () => load(path, terminal) });
  logger.info({ version, site: config.site, licenseServer: config.licenseServer.host }, 'starting');
  await app.start(config);
  terminal.onHangup(() => void app.reload());
  await aborted(signal);
  logger.info('stopping');
  await app.stop();
  logger.info('stopped');
  return 0;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else
      signal.addEventListener(
        'abort',
        () => {
          resolve();
        },
        { once: true },
      );
  });
}
