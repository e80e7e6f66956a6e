import { expect, test } from 'vitest';

import { learnTrust, startDaemon } from '../../../src/demo/daemon.ts';
import { PROGRAM } from '../../support/process/program.ts';
import { createLab } from '../../../src/demo/lab/lab.ts';

const soon = (): AbortSignal => AbortSignal.timeout(20_000);

test('errors that an outage explains raise no alarm after it, although they are still in the window', async () => {
  await using lab = await createLab({ logs: { syslog: { udp: '127.0.0.1:0', tcp: '127.0.0.1:0' }, window: '15m' } });
  await learnTrust(lab.configFile, lab.folder, PROGRAM);
  await using daemon = await startDaemon(lab.configFile, lab.folder, PROGRAM);
  if (daemon.syslogTcpPort !== null) lab.applianceLog.sendTo(daemon.syslogTcpPort);
  await daemon.diagnosis(({ ready }) => ready === 'ready', soon());

  await lab.inspect(true);
  await lab.applianceLog.poll();
  const broken = await daemon.diagnosis(
    ({ preconditions }) => preconditions.some(({ id, state }) => id === 'polling' && state === 'blocked'),
    soon(),
  );
  expect(broken.causes.map(({ id }) => id)).toEqual(['tls-intercepted']);

  await lab.inspect(false);
  const fixed = await daemon.diagnosis(
    ({ preconditions }) => preconditions.some(({ id, state }) => id === 'tls-genuine' && state === 'ok'),
    soon(),
  );
  expect(fixed.ready).toBe('ready');
  expect(fixed.causes).toEqual([]);
  const polling = fixed.preconditions.find(({ id }) => id === 'polling');
  expect(polling?.findings.map(({ actual }) => actual).join()).toMatch(
    /^A known fault explains all errors in the log, the last of which occurred at /u,
  );
});
