import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHierarchy, type Hierarchy } from '../../support/certificates/hierarchy.ts';
import { channelsOf, deliverTo } from '../../support/notify/channel-bench.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { timeline } from '../../support/store/incident-timeline.ts';
import { createTcpPeer, createTlsPeer } from '../../support/network/tls-peer.ts';
import type { RecipientOutcome } from '../../../src/notify/channels/channel.ts';

let folder = '';
let hierarchy: Hierarchy;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ftm-watch-syslog-'));
  hierarchy = await createHierarchy({ name: 'CN=localhost', dnsNames: ['localhost'] });
  writeFileSync(join(folder, 'ca.pem'), hierarchy.root.pem);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const [FIRING] = timeline().rounds(3, [causeOf('tls-intercepted')]).told;

async function deliver(receiver: object): Promise<RecipientOutcome | undefined> {
  const [channel] = await channelsOf({ syslog: [{ name: 'siem', host: 'localhost', ...receiver }] });
  if (channel === undefined || FIRING === undefined) throw new Error('There is nothing to deliver');
  const [outcome] = await deliverTo(channel, FIRING);
  return outcome;
}

/** Collects what arrives, and closes the connection when the sender ends it, as a receiver does. */
function collect(texts: string[]): (socket: Socket) => void {
  return (socket) => {
    let text = '';
    socket.setEncoding('utf8').on('data', (more: string) => {
      text += more;
    });
    socket.on('end', () => {
      texts.push(text);
      socket.end();
    });
  };
}

describe('a syslog receiver', () => {
  it('over TLS is verified, and gets the length before each line', async () => {
    const texts: string[] = [];
    await using peer = await createTlsPeer({
      chain: [hierarchy.leaf, hierarchy.intermediate],
      serve: collect(texts),
    });
    expect(await deliver({ port: peer.port, transport: 'tls', caFile: join(folder, 'ca.pem') })).toMatchObject({
      kind: 'sent',
    });
    const [, length = '', line = ''] = /^(\d+) (.*)$/su.exec(texts[0] ?? '') ?? [];
    expect(Buffer.byteLength(line)).toBe(Number(length));
    expect(line).toMatch(/^<26>1 .* ftm-watch - firing \[ftm-watch@32473 /u);
    expect(await deliver({ port: peer.port, transport: 'tls' })).toMatchObject({
      kind: 'deferred',
      detail: expect.stringMatching(/certificate|self-signed/u) as string,
    });
    expect(texts).toHaveLength(1);
  });

  it('that breaks off gets the line again', async () => {
    await using peer = await createTcpPeer((socket) => socket.resetAndDestroy());
    expect(await deliver({ port: peer.port })).toMatchObject({
      kind: 'deferred',
      detail: expect.stringMatching(/ECONNRESET|EPIPE/u) as string,
    });
  });

  it('that takes everything and keeps the connection open has taken it', async () => {
    const texts: string[] = [];
    const sockets: Socket[] = [];
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      sockets.push(socket);
      socket.setEncoding('utf8').on('data', (text: string) => texts.push(text));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    expect(await deliver({ host: '127.0.0.1', port })).toMatchObject({ kind: 'sent' });
    expect(sockets.map(({ closed }) => closed)).toEqual([false]);
    server.close();
    expect(texts.join('')).toContain(' ftm-watch - firing ');
  });
});
