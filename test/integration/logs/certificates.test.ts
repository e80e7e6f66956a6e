import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect as connectPlain } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../src/system/clock.ts';
import { createIdentity, type Identity } from '../../../src/demo/lab/identity.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import { startIntake, TROUBLE, type IntakeBench } from '../../support/logs/intake-bench.ts';
import { revocationList } from '../../support/certificates/revoked.ts';
import type { Clock } from '../../../src/core/clock.ts';
import { tlsFiles } from '../../support/web/web-bench.ts';
import { folderOfAllTests } from '../../support/process/test-folder.ts';

const folder = folderOfAllTests();
const authority = await createIdentity({ name: 'CN=Our Senders', authority: true });
const server = await createIdentity({ name: 'CN=logs.example.test', issuer: authority });

interface Options {
  readonly certificates?: readonly { readonly name: string; readonly appliance: string }[];
  readonly clientCrlFile?: string | null;
  readonly foreign?: 'count' | 'refuse';
  readonly clock?: Clock;
  readonly appliances?: typeof UNITS;
}

/** Lines come from this machine, whose address is that of the first unit. */
const UNITS = [
  { name: 'fac-1', logSources: ['127.0.0.1'] },
  { name: 'fac-2', logSources: ['fac-2'] },
];

function listen({
  certificates = [],
  clientCrlFile = null,
  foreign = 'count',
  clock = systemClock,
  appliances = UNITS,
}: Options): Promise<IntakeBench> {
  const any = { address: '127.0.0.1', port: 0 };
  const files = tlsFiles(folder, [server], authority.pem);
  const tls = { listen: any, certificates, ...files, clientCrlFile };
  return startIntake({ appliances, logs: { syslog: { udp: null, tcp: any, tls }, foreign } }, { clock });
}

function sender(name: string, dnsNames: readonly string[] = []): Promise<Identity> {
  return createIdentity({ name, dnsNames, issuer: authority });
}

/** Sends one line over TLS. */
function say(bench: IntakeBench, { pem, keyPem }: Identity): TLSSocket {
  const socket = connect({
    host: '127.0.0.1',
    port: bench.portOf('tls'),
    cert: pem,
    key: keyPem,
    rejectUnauthorized: false,
  });
  socket.on('error', () => {}).write(`${TROUBLE}\n`);
  onTestFinished(() => {
    socket.destroy();
  });
  return socket;
}

const owners = ({ events }: IntakeBench): readonly unknown[] =>
  events.flatMap((event) => (event.kind === 'ftm' ? [event.appliance] : []));

describe('a certificate that proves an appliance', () => {
  test('does so by a DNS name, by its common name, and by its fingerprint', async () => {
    const [named, common, printed] = await Promise.all([
      sender('CN=x', ['fac-2.example.test']),
      sender('CN=fac-2.common.test'),
      sender('CN=whatever'),
    ]);
    const names = ['fac-2.example.test', 'FAC-2.common.test', `SHA-256:${printed.fingerprint.toLowerCase()}`];
    const bench = await listen({ certificates: names.map((name) => ({ name, appliance: 'fac-2' })) });
    for (const identity of [named, common, printed]) say(bench, identity);
    await bench.until(() => expect(owners(bench)).toEqual(['fac-2', 'fac-2', 'fac-2']));
    expect(bench.intake.unknownSenders()).toEqual([]);
  });

  test('is the only thing that does: neither its address nor its name in a line counts any more', async () => {
    const other = await sender('CN=other.example.test');
    const bench = await listen({ certificates: [{ name: 'fac-1.example.test', appliance: 'fac-1' }] });
    const plain = connectPlain(bench.portOf('tcp'), '127.0.0.1').on('error', () => {});
    onTestFinished(() => void plain.destroy());
    plain.write(`${TROUBLE}\n`);
    say(bench, other);
    await bench.until(() => {
      const { tcp, tls } = bench.intake.counters().lines;
      expect([tcp.foreign, tls.foreign]).toEqual([1, 1]);
    });
    expect(owners(bench)).toEqual([]);
  });

  test('is asked for before a foreign sender is turned away', async () => {
    const known = await sender('CN=fac-1.example.test');
    const other = await sender('CN=other.example.test');
    const certificates = [{ name: 'fac-1.example.test', appliance: 'fac-1' }];
    const bench = await listen({ certificates, foreign: 'refuse', appliances: UNITS.slice(0, 1) });
    const refused = once(say(bench, other), 'close');
    say(bench, known);
    await refused;
    await bench.until(() => expect(owners(bench)).toEqual(['fac-1']));
    expect(bench.intake.counters().connections.refused).toBe(1);
  });
});

describe('a certificate that is revoked', () => {
  // Listeners of logs/listen-tcp.ts: callback of after, once close 5
  test('gets nobody in, and who is in has to come again, as soon as the list says so', async () => {
    const [good, bad] = await Promise.all([sender('CN=good'), sender('CN=bad')]);
    await writeFile(folder.at('clients.crl'), await revocationList(authority, []));
    const clock = handClock(Date.now());
    const bench = await listen({ clientCrlFile: folder.at('clients.crl'), clock });
    const before = say(bench, bad);
    await bench.until(() => expect(bench.troubles()).toBe(1));

    await writeFile(folder.at('clients.crl'), await revocationList(authority, [bad]));
    const closed = once(before, 'close');
    clock.advance(60_000);
    await closed;
    say(bench, bad);
    await bench.until(() => expect(bench.intake.counters().connections['failed-handshake']).toBe(1));
    say(bench, good);

    await bench.until(() => expect(bench.troubles()).toBe(2));
  });

  // Listeners of network/tls/served-certificate.ts: callback of beat
  test('leaves the list of before in place where the new one cannot be used, and says so', async () => {
    const good = await sender('CN=good');
    await writeFile(folder.at('broken.crl'), await revocationList(authority, []));
    const clock = handClock(Date.now());
    const bench = await listen({ clientCrlFile: folder.at('broken.crl'), clock });

    await writeFile(folder.at('broken.crl'), 'nonsense');
    clock.advance(60_000);
    await bench.until(() =>
      expect(bench.log.lines).toContainEqual(
        expect.objectContaining({
          level: 'warn',
          message: expect.stringContaining('the previous certificate is still in use'),
        }),
      ),
    );
    say(bench, good);

    await bench.until(() => expect(bench.troubles()).toBe(1));
  });
});
