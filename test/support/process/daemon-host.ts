import { startDaemon } from '../../../src/demo/daemon.ts';
import { createMailServer } from '../mail/mail-server.ts';
import { sendLines } from './daemon-process.ts';
import type { Hosted } from './host.ts';
import { PROGRAM } from './program.ts';

/** Settings for starting the daemon. */
export interface DaemonHostSettings {
  readonly configFile: string;
  readonly folder: string;
  /** Port of a mail server on loopback that keeps all mails; null: there is none. */
  readonly mailPort: number | null;
}

export type DaemonHostRequest =
  | { readonly kind: 'status' | 'mails' }
  | { readonly kind: 'line'; readonly line: string };

/**
 * Runs the daemon, and the clients that query it and send log lines. Answers with `/api/v1/status`, null before the
 * first round, or with the mails as received, oldest first.
 */
export async function host(
  { configFile, folder, mailPort }: DaemonHostSettings,
  stack: AsyncDisposableStack,
): Promise<Hosted<null, DaemonHostRequest>> {
  const sink = mailPort === null ? null : await createMailServer({ port: mailPort });
  const daemon = stack.use(await startDaemon(configFile, folder, PROGRAM));
  return {
    ready: null,
    answer: async (request) => {
      switch (request.kind) {
        case 'status': {
          const response = await daemon.get('api/v1/status');
          return response.ok ? response.json() : null;
        }
        case 'mails':
          return sink?.mails.map(({ raw }) => raw) ?? [];
        case 'line':
          return sendLines(daemon.syslogPort ?? 0, [request.line]);
      }
    },
  };
}
