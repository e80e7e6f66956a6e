import { connect } from 'node:tls';
import { expect, test } from 'vitest';
import { chainPem, createIdentity, type Identity } from '../../../src/demo/lab/identity.ts';
import { longExponentKeys } from '../../support/certificates/chains.ts';
import { folderOfEachTest } from '../../support/process/test-folder.ts';
import { startWeb, tlsFiles } from '../../support/web/web-bench.ts';

const folder = folderOfEachTest();

/** Returns a chain that takes OpenSSL about half a second to verify. */
async function slowChain(): Promise<readonly Identity[]> {
  const keys = await longExponentKeys(3072);
  let issuer = await createIdentity({ name: 'CN=0', authority: true, keys });
  const chain = [issuer];
  for (let index = 1; index < 60; index += 1) {
    issuer = await createIdentity({ name: `CN=${String(index)}`, authority: true, keys, issuer });
    chain.unshift(issuer);
  }
  return chain;
}

/** Resolves with what the server answers; empty if it closed the connection. */
function ask(port: number, localAddress: string, client: { readonly cert?: string; readonly key?: string } = {}) {
  return new Promise<string>((resolve) => {
    // Node's type declarations omit `localAddress`.
    const options = { host: '127.0.0.1', port, localAddress, rejectUnauthorized: false, ...client };
    const socket = connect(options);
    let received = '';
    socket.on('secureConnect', () => socket.write('GET /-/healthy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'));
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(received));
  });
}

// Listeners of network/tls/handshake-limit.ts: callback of after, on connection, once close, on secureConnection
// Listeners of network/tls/handshake-limit.ts: on tlsClientError
test('client certificates that are slow to verify do not stall clients whose handshake was fast', async () => {
  const server = await createIdentity({ name: 'CN=monitor' });
  const authority = await createIdentity({ name: 'CN=clients', authority: true });
  const tls = tlsFiles(folder, [server], authority.pem);
  await using web = await startWeb({ config: { tls, certificates: [{ name: 'prometheus', role: 'read' }] } });
  const chain = await slowChain();
  const attacker = { cert: chainPem(...chain), key: chain[0]?.keyPem ?? '' };
  expect(await ask(web.port, '127.0.0.3')).toContain('200');

  const attack = await Promise.all(Array.from({ length: 8 }, () => ask(web.port, '127.0.0.2', attacker)));

  expect(attack.filter((answer) => answer !== '').length).toBeLessThanOrEqual(1);
  expect([await ask(web.port, '127.0.0.3'), await ask(web.port, '127.0.0.4')]).toEqual([
    expect.stringContaining('200'),
    '',
  ]);
});
