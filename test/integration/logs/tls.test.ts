import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect as connectPlain } from 'node:net';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createHierarchy } from '../../support/certificates/hierarchy.ts';
import { chainPem, createIdentity } from '../../../src/demo/lab/identity.ts';
import { CONNECTION_LIMITS } from '../../../src/logs/listen-tcp.ts';
import { connectSender, startIntake, TROUBLE } from '../../support/logs/intake-bench.ts';
import { tlsFiles } from '../../support/web/web-bench.ts';
import { folderOfAllTests } from '../../support/process/test-folder.ts';

const folder = folderOfAllTests();
const pki = await createHierarchy();

const listening = (clientCa: string | null, more: object = {}) => {
  const files = tlsFiles(folder, [pki.leaf, pki.intermediate], clientCa);
  const tls = { listen: { address: '127.0.0.1', port: 0 }, certificates: [], ...files, ...more };
  return { logs: { syslog: { udp: null, tcp: null, tls } } };
};

function dial(port: number, options: ConnectionOptions = {}): TLSSocket {
  const socket = connect({ host: '127.0.0.1', port, servername: 'license.example.test', ca: pki.root.pem, ...options });
  socket.on('error', () => {});
  onTestFinished(() => {
    socket.destroy();
  });
  return socket;
}

describe('syslog over TLS', () => {
  test('takes lines, framed either way', async () => {
    const bench = await startIntake(listening(null));
    const socket = dial(bench.portOf('tls'));
    await once(socket, 'secureConnect');
    socket.write(`${TROUBLE}\n${String(TROUBLE.length)} ${TROUBLE}`);
    await bench.until(() => expect(bench.troubles()).toBe(2));
    expect(bench.intake.counters().lines.tls.ftm).toBe(2);
  });

  test('loses nothing of a flood', async () => {
    const bench = await startIntake(listening(null));
    const socket = dial(bench.portOf('tls'));
    await once(socket, 'secureConnect');
    for (let i = 0; i < 20; i += 1) socket.write(`${TROUBLE}\n`.repeat(1000));
    socket.end();
    await bench.until(() => expect(bench.troubles()).toBe(20_000));
  });

  test.each(['tls1_2', 'tls1_3'])('counts units that reject the certificate of the listener, %s', async (version) => {
    const bench = await startIntake({ ...listening(null), appliances: [{ name: 'fac-1', logSources: ['127.0.0.1'] }] });
    await writeFile(folder.at('other.pem'), (await createIdentity({ name: 'CN=other', authority: true })).pem);
    const expected = [{ appliance: 'fac-1', count: 1, names: ['license.example.test'] }];
    // Unlike Node, OpenSSL verifies the certificate during the handshake, and sends an alert.
    const connectTo = ['s_client', '-connect', `127.0.0.1:${String(bench.portOf('tls'))}`, `-${version}`];
    const client = spawn('openssl', [...connectTo, '-CAfile', folder.at('other.pem'), '-verify_return_error'], {
      stdio: 'ignore',
    });
    await once(client, 'exit');
    await bench.until(() => expect(bench.intake.certificateRejections()).toMatchObject(expected));
    // A client that hangs up says nothing about the certificate.
    const hangsUp = connectPlain(bench.portOf('tls'), '127.0.0.1', () => hangsUp.end('no TLS'));
    await bench.until(() => expect(bench.intake.counters().connections['failed-handshake']).toBe(2));
    expect(bench.intake.certificateRejections()).toMatchObject(expected);
  });

  // Listeners of logs/listen-tcp.ts: on secureConnection
  test('lets in senders with a certificate of the configured authority only', async () => {
    const bench = await startIntake(listening(pki.root.pem));
    const sender = await createIdentity({ name: 'CN=fac-1', issuer: pki.intermediate });
    const stranger = await createIdentity({ name: 'CN=stranger' });
    dial(bench.portOf('tls')).write(`${TROUBLE}\n`);
    dial(bench.portOf('tls'), { cert: stranger.pem, key: stranger.keyPem }).write(`${TROUBLE}\n`);
    await bench.until(() =>
      expect(bench.intake.counters().connections).toMatchObject({ 'no-certificate': 1, 'failed-handshake': 1 }),
    );
    dial(bench.portOf('tls'), { cert: chainPem(sender, pki.intermediate), key: sender.keyPem }).write(`${TROUBLE}\n`);
    await bench.until(() => expect(bench.troubles()).toBe(1));
    expect(bench.intake.counters().connections).toMatchObject({ accepted: 1, 'no-certificate': 1 });
    expect(bench.log.lines.filter(({ level }) => level === 'warn')).toMatchObject([
      { message: 'The TLS handshake with syslog senders failed', fields: { address: '127.0.0.1', times: 1 } },
    ]);
  });

  test('counts a sender that it refuses once, and not as a line', async () => {
    const { logs } = listening(null);
    const appliances = [{ name: 'fac-1', logSources: ['10.0.0.5'] }];
    const bench = await startIntake({ appliances, logs: { ...logs, foreign: 'refuse' } });
    await new Promise((resolve) => dial(bench.portOf('tls')).once('close', resolve));
    await bench.until(() => expect(bench.intake.counters().connections.refused).toBe(1));
    await bench.intake.stop();
    const { connections, lines } = bench.intake.counters();
    expect(connections).toMatchObject({ accepted: 0, open: 0, refused: 1, 'failed-handshake': 0 });
    expect(lines.tls.foreign).toBe(0);
    expect(bench.log.lines.filter(({ level }) => level === 'warn')).toEqual([]);
  });

  // Listeners of logs/listen-tcp.ts: once close 2, on tlsClientError
  test('counts what is no TLS, and stops while a handshake is under way', async () => {
    const bench = await startIntake(listening(null));
    const plain = connectPlain({ host: '127.0.0.1', port: bench.portOf('tls') });
    plain.on('error', () => {});
    plain.write(`${TROUBLE}\n`);
    await bench.until(() => expect(bench.intake.counters().connections['failed-handshake']).toBe(1));
    const silent = connectPlain({ host: '127.0.0.1', port: bench.portOf('tls') });
    silent.on('error', () => {});
    await once(silent, 'connect');
    await bench.intake.stop();
    expect(bench.troubles()).toBe(0);
    plain.destroy();
    silent.destroy();
  });

  test('takes a sender in although all places are taken by connections that begin no handshake', async () => {
    const bench = await startIntake(listening(null), { limits: { ...CONNECTION_LIMITS, connections: 20 } });
    const port = bench.portOf('tls');
    const early = dial(port);
    await once(early, 'secureConnect');
    early.write(`${TROUBLE}\n`);
    for (let index = 0; index < 50; index += 1) await connectSender(port);
    const late = dial(port);
    late.write(`${TROUBLE}\n`);
    await bench.until(() => expect(bench.troubles()).toBe(2));
  });

  test('says which files it cannot use', async () => {
    await expect(startIntake(listening(pki.root.pem, { keyFile: folder.at('clients.pem') }))).rejects.toThrow(
      /Cannot use the syslog listener's key in "[^"]*clients\.pem": expected PEM without a passphrase/u,
    );
  });

  test('says which file it cannot read', async () => {
    await expect(startIntake(listening(null, { clientCaFile: folder.at('none.pem') }))).rejects.toThrow(
      /Cannot read the syslog listener's client authorities from ".*none\.pem": ENOENT/u,
    );
  });
});
