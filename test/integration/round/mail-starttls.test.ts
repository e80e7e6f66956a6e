import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext, TLSSocket } from 'node:tls';
import { beforeAll, describe, expect, test } from 'vitest';
import { publicTrust } from '../../../src/network/tls/secure-context.ts';
import { createMailBench, type MailBench } from '../../support/mail/mail-bench.ts';
import { agreeable } from '../../support/mail/smtp-script.ts';
import { createTcpPeer, type Peer } from '../../support/network/tls-peer.ts';

/** The content type of a handshake record (RFC 8446 §5.1). */
const HANDSHAKE_RECORD = 22;

let bench: MailBench;

beforeAll(async () => {
  bench = await createMailBench();
});

/** A server that refuses every recipient once TLS is established. @param go the reply to STARTTLS */
function upgrading(go: string): Promise<Peer> {
  const secureContext = createSecureContext(bench.served);
  return createTcpPeer((socket) => {
    socket.write('220 x\r\n');
    socket.on('data', function onLine(chunk) {
      if (chunk.toString('latin1').startsWith('EHLO')) {
        socket.write('250 STARTTLS\r\n');
        return;
      }
      socket.off('data', onLine).pause();
      socket.write(go);
      const secure = new TLSSocket(socket, { isServer: true, secureContext });
      secure.on('error', () => {});
      secure.on('data', (line) => {
        const said = line.toString('latin1').trim();
        secure.write(said.startsWith('RCPT') ? '550 nobody\r\n' : (agreeable(said)?.toString() ?? ''));
      });
    });
  });
}

describe('STARTTLS of observeMail', () => {
  test.each([
    ['', '220 go\r\n'],
    [' although somebody answers in its place before (RFC 3207 §4.2)', `220 go\r\n${'250 fine\r\n'.repeat(9)}`],
    [' although somebody begins a reply for it', '220 go\r\n250-'],
  ])('what the server says under TLS counts,%s', async (_, go) => {
    await using server = await upgrading(go);
    expect((await bench.look(server.port, { config: { security: 'starttls' } })).outcome).toMatchObject({
      stage: 'recipient',
      reason: 'rejected',
      code: 550,
    });
  });

  test.each(['public authorities', 'caFile'] as const)('sends a hello of one segment under %s', async (trust) => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'starttls-'));
    const caFile = join(folder.path, 'ca.pem');
    await writeFile(caFile, bench.rootPem);
    let hello = 0;
    await using server = await createTcpPeer((socket) => {
      socket.write('220 x\r\n');
      socket.on('data', (chunk) => {
        if (chunk[0] === HANDSHAKE_RECORD) {
          hello = chunk.length;
          socket.end();
        } else socket.write(chunk.toString('latin1').startsWith('EHLO') ? '250 STARTTLS\r\n' : '220 go\r\n');
      });
    });
    await bench.look(server.port, {
      config: { security: 'starttls', caFile: trust === 'caFile' ? caFile : null },
      ports: { trust: publicTrust() },
    });
    expect(hello).toBeGreaterThan(0);
    expect(hello).toBeLessThan(600);
  });
});
