import { connect } from 'node:tls';
import { expect, test } from 'vitest';
import { createIdentity, type Identity } from '../../../src/demo/lab/identity.ts';
import { folderOfEachTest } from '../../support/process/test-folder.ts';
import { handClock, type HandClock } from '../../support/time/hand-clock.ts';
import { START } from '../../support/store/incident-timeline.ts';
import { startWeb, tlsFiles, type WebBench } from '../../support/web/web-bench.ts';

const folder = folderOfEachTest();

interface Renewal extends AsyncDisposable {
  readonly web: WebBench;
  readonly first: Identity;
  readonly clock: HandClock;
}

async function startWithCertificate(): Promise<Renewal> {
  const first = await createIdentity({ name: 'CN=first' });
  const clock = handClock(START);
  const web = await startWeb({ config: { tls: tlsFiles(folder, [first]) }, clock });
  return { web, first, clock, [Symbol.asyncDispose]: () => web[Symbol.asyncDispose]() };
}

/** Returns the SHA-256 of the certificate that the server currently presents. */
function shown({ port }: WebBench): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate()?.fingerprint256 ?? '');
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

test('a certificate that was renewed is shown within a minute, without a restart', async () => {
  await using renewal = await startWithCertificate();
  const { web, first } = renewal;
  expect(await shown(web)).toBe(first.fingerprint);
  const end = web.files.certificate?.end();
  const second = await createIdentity({ name: 'CN=second', notAfter: new Date(START + 1e12) });
  tlsFiles(folder, [second]);
  renewal.clock.advance(60_000);
  await expect.poll(() => shown(web)).toBe(second.fingerprint);
  expect(web.files.certificate?.end()).not.toBe(end);
});

test('one that does not work leaves that of before in place, and is told once', async () => {
  await using renewal = await startWithCertificate();
  const { web, first } = renewal;
  const [cert, key] = await Promise.all([createIdentity({ name: 'CN=a' }), createIdentity({ name: 'CN=b' })]);
  tlsFiles(folder, [{ ...cert, keyPem: key.keyPem }]);
  const told = (): number => web.log.filter((line) => line.includes('"certificate-not-loaded"')).length;

  renewal.clock.advance(60_000);
  await expect.poll(told).toBe(1);
  // Waited for, so that nothing reads the files while they are written.
  await web.files.certificate?.refresh();
  expect(await shown(web)).toBe(first.fingerprint);
  tlsFiles(folder, [cert]);
  renewal.clock.advance(60_000);
  await expect.poll(() => shown(web)).toBe(cert.fingerprint);
  expect(told()).toBe(1);
});

test('on request it is shown at once', async () => {
  await using renewal = await startWithCertificate();
  const second = await createIdentity({ name: 'CN=second' });
  tlsFiles(folder, [second]);
  await renewal.web.files.certificate?.refresh();
  expect(await shown(renewal.web)).toBe(second.fingerprint);
});
