import { createSocket } from 'node:dgram';
import { startDaemon } from '../lab/daemon.ts';
import type { Daemon } from '../lab/daemon.ts';

/** The first message: what the daemon is started with. */
export interface DaemonHostSettings {
  readonly configFile: string;
  readonly folder: string;
}

/** Every other message, one at a time; each is answered, a line with null. */
export type DaemonHostRequest = { readonly kind: 'status' } | { readonly kind: 'line'; readonly line: string };

/**
 * A program: the daemon, and the clients that ask it and send it log lines, in the network namespace in which it is
 * started. It answers the settings with "ready", and ends with its parent.
 */
process.once('message', (settings: DaemonHostSettings) => {
  void startDaemon(settings.configFile, settings.folder).then((daemon) => {
    process.once('disconnect', () => {
      void daemon[Symbol.asyncDispose]().then(() => process.exit());
    });
    process.on('message', (request: DaemonHostRequest) => {
      void answer(daemon, request).then((reply) => process.send?.(reply));
    });
    process.send?.('ready');
  });
});

/** What `/api/v1/status` says, null before the first round. */
async function answer(daemon: Daemon, request: DaemonHostRequest): Promise<unknown> {
  switch (request.kind) {
    case 'status': {
      const response = await daemon.get('api/v1/status');
      return response.ok ? response.json() : null;
    }
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
