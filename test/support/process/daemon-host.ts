import { createSocket } from 'node:dgram';
import { startDaemon } from '../../../src/demo/daemon.ts';
import type { Daemon } from '../../../src/demo/daemon.ts';
import { PROGRAM } from './program.ts';
import { createMailServer, type MailServer } from '../mail/mail-server.ts';

/** The first message: settings for starting the daemon. */
export interface DaemonHostSettings {
  readonly configFile: string;
  readonly folder: string;
  /** Port of a mail server on loopback that keeps all mails; null: there is none. */
  readonly mailPort: number | null;
}

/** Every other message, one at a time. Each is answered; a line is answered with null. */
export type DaemonHostRequest =
  | { readonly kind: 'status' | 'mails' }
  | { readonly kind: 'line'; readonly line: string };

/**
 * A program that runs the daemon, and the clients that query it and send log lines, in the network namespace in which
 * it is started. It answers the settings with "ready", and exits with its parent.
 */
process.once('message', (settings: DaemonHostSettings) => {
  void host(settings);
});

async function host({ configFile, folder, mailPort }: DaemonHostSettings): Promise<void> {
  const sink = mailPort === null ? null : await createMailServer({ port: mailPort });
  const daemon = await startDaemon(configFile, folder, PROGRAM);
  process.once('disconnect', () => {
    void daemon[Symbol.asyncDispose]().then(() => process.exit());
  });
  process.on('message', (request: DaemonHostRequest) => {
    void answer({ daemon, sink }, request).then((reply) => process.send?.(reply));
  });
  process.send?.('ready');
}

interface Hosted {
  readonly daemon: Daemon;
  readonly sink: MailServer | null;
}

/** Returns `/api/v1/status`, null before the first round, or the mails as received, oldest first. */
async function answer({ daemon, sink }: Hosted, request: DaemonHostRequest): Promise<unknown> {
  switch (request.kind) {
    case 'status': {
      const response = await daemon.get('api/v1/status');
      return response.ok ? response.json() : null;
    }
    case 'mails':
      return sink?.mails.map(({ raw }) => raw) ?? [];
    case 'line':
      await send(request.line, daemon.syslogPort ?? 0);
      return null;
  }
}

function send(line: string, port: number): Promise<void> {
  const socket = createSocket('udp4');
  return new Promise((resolve) => {
    socket.send(line, port, '127.0.0.1', () => {
      socket.close();
      resolve();
    });
  });
}
