import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { expect, test } from 'vitest';
import { createIdentity, type Identity } from '../../../src/demo/lab/identity.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import { START } from '../../support/store/incident-timeline.ts';
import { startWeb, type WebBench } from '../../support/web/web-bench.ts';

interface Renewal extends AsyncDisposable {
  readonly web: WebBench;
  readonly first: Identity;
  /** Writes this certificate and key to the files. */
  put(cert: string, key: string): Promise<void>;
  pass(time: number): void;
}

async function startWithCertificate(): Promise<Renewal> {
  const folder = await mkdtemp(join(tmpdir(), 'ftm-watch-renewed-'));
  const [certFile, keyFile] = [join(folder, 'web.pem'), join(folder, 'web.key')];
  const put = async (cert: string, key: string): Promise<void> => {
    await writeFile(certFile, cert);
    await writeFile(keyFile, key);
  };
  const first = await createIdentity({ name: 'CN=first' });
  await put(first.pem, first.keyPem);
  const clock = handClock(START);
  const web = await startWeb({
    config: { tls: { certFile, keyFile, clientCaFile: null, clientCrlFile: null } },
    clock,
  });
  return {
    web,
    first,
    put,
    pass: (time) => clock.advance(time),
    [Symbol.asyncDispose]: async () => {
      await web[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
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
  const end = web.server.certificateEnd();

  const second = await createIdentity({ name: 'CN=second', notAfter: new Date(START + 1e12) });
  await renewal.put(second.pem, second.keyPem);
  renewal.pass(60_000);
  await expect.poll(() => shown(web)).toBe(second.fingerprint);
  expect(web.server.certificateEnd()).not.toBe(end);
});

test('one that does not work leaves that of before in place, and is told once', async () => {
  await using renewal = await startWithCertificate();
  const { web, first } = renewal;
  const [cert, key] = await Promise.all([createIdentity({ name: 'CN=a' }), createIdentity({ name: 'CN=b' })]);
  await renewal.put(cert.pem, key.keyPem);
  const told = (): number => web.log.filter((line) => line.includes('the previous certificate is still in use')).length;

  renewal.pass(60_000);
  await expect.poll(told).toBe(1);
  renewal.pass(60_000);
  expect(await shown(web)).toBe(first.fingerprint);
  await renewal.put(cert.pem, cert.keyPem);
  renewal.pass(60_000);
  await expect.poll(() => shown(web)).toBe(cert.fingerprint);
  expect(told()).toBe(1);
});

test('on request it is shown at once', async () => {
  await using renewal = await startWithCertificate();
  const second = await createIdentity({ name: 'CN=second' });
  await renewal.put(second.pem, second.keyPem);
  await renewal.web.server.refreshCertificate();
  expect(await shown(renewal.web)).toBe(second.fingerprint);
});
