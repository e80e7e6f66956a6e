import { startDaemon } from '../../../src/demo/daemon.ts';
import { createLab } from '../../../src/demo/lab/lab.ts';
import { createMailHost } from '../../../src/demo/lab/mail-host.ts';
import type { Hosted } from '../../support/process/host.ts';
import { PROGRAM } from '../../support/process/program.ts';

export type LabRequest =
  | { readonly kind: 'inspect'; readonly on: boolean }
  /** Makes FortiAuthenticator accept only this key. */
  | { readonly kind: 'appliance-key'; readonly key: string }
  | { readonly kind: 'get'; readonly url: string }
  | { readonly kind: 'mails' };

/** Runs the lab, its daemon at 127.0.0.1:9843 for the site "hq", and a mail server on port 25. */
export async function host(_: null, stack: AsyncDisposableStack): Promise<Hosted<null, LabRequest>> {
  const lab = stack.use(await createLab({ site: 'hq', web: { listen: '127.0.0.1:9843' } }));
  const inbox = stack.use(await createMailHost({ listen: { address: '127.0.0.1', port: 25 } }));
  const daemon = stack.use(await startDaemon(lab.configFile, lab.folder, PROGRAM));
  // FortiAuthenticator logs its errors to the daemon.
  if (daemon.syslogTcpPort !== null) lab.applianceLog.sendTo(daemon.syslogTcpPort);
  await lab.applianceLog.poll();
  return {
    ready: null,
    answer: async (request) => {
      switch (request.kind) {
        case 'inspect':
          await lab.inspect(request.on);
          await lab.applianceLog.poll();
          return null;
        case 'appliance-key':
          lab.appliance.state.key = request.key;
          return null;
        case 'get':
          return fetch(request.url).then(
            async (response) => ({ status: response.status, body: await response.text() }),
            (error: unknown) => ({ status: 0, body: String(error) }),
          );
        case 'mails':
          return inbox.mails.map(({ to, subject, raw }) => ({ to, subject, raw }));
      }
    },
  };
}
