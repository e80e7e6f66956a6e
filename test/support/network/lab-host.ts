import { createInterface } from 'node:readline';
import { startDaemon } from '../../../src/demo/daemon.ts';
import { PROGRAM } from '../process/program.ts';
import { createLab, type Lab } from '../../../src/demo/lab/lab.ts';
import { createMailHost } from '../../../src/demo/lab/mail-host.ts';

/** Requests to `lab-host.ts`, one JSON object per line. */
export type LabRequest =
  | { readonly kind: 'inspect'; readonly on: boolean }
  /** Makes FortiAuthenticator accept only this key. */
  | { readonly kind: 'appliance-key'; readonly key: string }
  | { readonly kind: 'get'; readonly url: string }
  | { readonly kind: 'mails' };

/**
 * A program with the lab, its daemon at 127.0.0.1:9843 for the site "hq", and a mail server on port 25, in the
 * network namespace in which it is started. It answers each request with a line of JSON, and exits when its input
 * closes.
 */
await using stack = new AsyncDisposableStack();
const lab = stack.use(await createLab({ site: 'hq', web: { listen: '127.0.0.1:9843' } }));
const inbox = stack.use(await createMailHost({ listen: { address: '127.0.0.1', port: 25 } }));
const daemon = stack.use(await startDaemon(lab.configFile, lab.folder, PROGRAM));
// FortiAuthenticator logs its errors to the daemon.
if (daemon.syslogTcpPort !== null) lab.applianceLog.sendTo(daemon.syslogTcpPort);
await lab.applianceLog.poll();
process.stdout.write('"ready"\n');
for await (const line of createInterface(process.stdin)) {
  process.stdout.write(`${JSON.stringify(await answer(lab, JSON.parse(line) as LabRequest))}\n`);
}

async function answer(network: Lab, request: LabRequest): Promise<unknown> {
  switch (request.kind) {
    case 'inspect':
      await network.inspect(request.on);
      await network.applianceLog.poll();
      return null;
    case 'appliance-key':
      network.appliance.state.key = request.key;
      return null;
    case 'get':
      return fetch(request.url).then(
        async (response) => ({ status: response.status, body: await response.text() }),
        (error: unknown) => ({ status: 0, body: String(error) }),
      );
    case 'mails':
      return inbox.mails.map(({ to, subject, raw }) => ({ to, subject, raw }));
  }
}
