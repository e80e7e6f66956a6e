import { writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { beforeAll, describe, expect, it } from 'vitest';
import { createHierarchy, type Hierarchy } from '../../support/certificates/hierarchy.ts';
import { channelOf, deliverTo } from '../../support/notify/channel-bench.ts';
import { firingOf } from '../../support/notify/outbox-entry-of.ts';
import { listening } from '../../../src/demo/lab/listening.ts';
import { createTcpPeer, createTlsPeer } from '../../support/network/tls-peer.ts';
import { idleClock } from '../../support/time/idle-clock.ts';
import { folderOfAllTests } from '../../support/process/test-folder.ts';
import type { RecipientOutcome } from '../../../src/notify/channels/channel.ts';

const folder = folderOfAllTests();
let hierarchy: Hierarchy;
beforeAll(async () => {
  hierarchy = await createHierarchy({ name: 'CN=localhost', dnsNames: ['localhost'] });
  writeFileSync(folder.at('ca.pem'), hierarchy.root.pem);
});

async function deliver(receiver: object): Promise<readonly RecipientOutcome[]> {
  const sections = { syslog: [{ name: 'siem', host: 'localhost', ...receiver }] };
  return deliverTo(await channelOf(sections, { clock: idleClock() }), firingOf());
}

/** Collects what arrives. @param end called when the sender ends the connection */
function collect(texts: string[], end: (socket: Socket) => void): (socket: Socket) => void {
  return (socket) => {
    let text = '';
    socket.setEncoding('utf8').on('data', (more: string) => {
      text += more;
    });
    socket.on('end', () => {
      texts.push(text);
      end(socket);
    });
  };
}

describe('a syslog receiver', () => {
  it('over TLS is verified, and gets the length before each line', async () => {
    const texts: string[] = [];
    const serve = collect(texts, (socket) => void socket.end());
    await using peer = await createTlsPeer({ chain: [hierarchy.leaf, hierarchy.intermediate], serve });
    const receiver = { port: peer.port, transport: 'tls' };
    expect(await deliver({ ...receiver, caFile: folder.at('ca.pem') })).toMatchObject([{ kind: 'sent' }]);
    const [, length = '', line = ''] = /^(\d+) (.*)$/su.exec(texts[0] ?? '') ?? [];
    expect(Buffer.byteLength(line)).toBe(Number(length));
    expect(line).toMatch(/^<26>1 .* ftm-watch - firing \[ftm-watch@32473 /u);
    expect(await deliver(receiver)).toMatchObject([
      { kind: 'deferred', detail: expect.stringMatching(/certificate|self-signed/u) },
    ]);
    expect(texts).toHaveLength(1);
  });

  it('that breaks off gets the line again', async () => {
    await using peer = await createTcpPeer((socket) => socket.resetAndDestroy());
    expect(await deliver({ port: peer.port })).toMatchObject([
      { kind: 'deferred', detail: expect.stringMatching(/ECONNRESET|EPIPE/u) },
    ]);
  });

  it('that takes everything and keeps the connection open has taken it', async () => {
    const texts: string[] = [];
    const serve = collect(texts, () => undefined);
    await using peer = await listening(createServer({ allowHalfOpen: true }, serve));
    expect(await deliver({ host: '127.0.0.1', port: peer.port })).toMatchObject([{ kind: 'sent' }]);
    expect(peer.sockets.size).toBe(1);
    expect(texts.join('')).toContain(' ftm-watch - firing ');
  });
});
