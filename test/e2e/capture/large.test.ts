import { createWriteStream, readFileSync } from 'node:fs';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { corpus } from '../../support/security/corpus.ts';
import { runFtmWatch } from '../../support/process/ftm-watch.ts';
import { packetsOf, type WrittenPacket } from '../../support/network/packet-captures.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { createSandbox, type Sandbox } from '../../support/network/sandbox.ts';
import { unzip } from '../../support/process/unzipped.ts';

const SEEN = corpus('capture').find(({ name }) => name === 'tls-1.2-and-dns.pcap.hex')?.bytes ?? Buffer.alloc(0);
const MIB = 1024 * 1024;
/** Prints the peak memory of the process when it exits. */
const PEAK = `data:text/javascript,${encodeURIComponent(
  "process.on('exit',()=>{process.stderr.write('peak='+process.resourceUsage().maxRSS)})",
)}`;

describeWhere(['root', 'network-namespaces'], 'captures of any size', () => {
  let folder = '';
  let sandbox: Sandbox;
  let idle = 0;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ftm-watch-large-'));
    sandbox = await createSandbox();
    const config = { licenseServer: { host: 'license.example.test', expectedAddresses: ['127.0.0.1'] } };
    await writeFile(join(folder, 'ftm-watch.yaml'), JSON.stringify({ ...config, store: { path: 'store.sqlite' } }));
    await writeFile(join(folder, 'seen.pcap'), SEEN);
    ({ peak: idle } = await judged('seen.pcap'));
  });
  afterAll(async () => {
    await sandbox[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  async function judged(
    name: string,
  ): Promise<{ readonly peak: number; readonly notes: string; readonly count: number }> {
    const run = await runFtmWatch(['capture', '--json', '-c', 'ftm-watch.yaml', name], {
      cwd: folder,
      env: { NODE_OPTIONS: `--import ${PEAK}` },
    });
    expect(run.exitCode).toBe(2);
    const { connections, notes }: { readonly connections: readonly object[]; readonly notes: readonly string[] } =
      JSON.parse(run.stdout);
    return { peak: Number(/peak=(\d+)/u.exec(run.stderr)?.[1]) * 1024, notes: notes.join(), count: connections.length };
  }

  async function write(name: string, packets: Iterable<Buffer>): Promise<void> {
    const file = createWriteStream(join(folder, name));
    file.write(SEEN.subarray(0, 24));
    for (const packet of packets) if (!file.write(packet)) await once(file, 'drain');
    file.end();
    await once(file, 'finish');
  }

  /** Returns the packet and its record as if it came from another client. */
  function fromClient({ record, bytes }: WrittenPacket, client: number): Buffer {
    const own = Buffer.concat([record, bytes]);
    const isFromServer = bytes.readUInt16BE(34) === 443;
    own.writeUInt32BE(0x0a000000 + client, 16 + (isFromServer ? 30 : 26));
    return own;
  }

  /** The packets of the TLS connection in the corpus. */
  function handshake(): readonly WrittenPacket[] {
    return packetsOf(SEEN).packets.filter(({ bytes }) => bytes[23] === 6);
  }

  test('100,000 connections that never end: the excess is counted', async () => {
    function* packets(): Generator<Buffer> {
      const opening = handshake().slice(0, 6);
      for (let client = 0; client < 100_000; client += 1)
        for (const packet of opening) yield fromClient(packet, client);
    }
    await write('many.pcap', packets());
    const { peak, notes, count } = await judged('many.pcap');
    expect(count).toBe(1_000);
    expect(notes).toContain('99000 connections in "many.pcap" were not followed');
    expect(peak - idle).toBeLessThan(96 * MIB);
  });

  test('100,000 connections that end, one after the other: each is judged, and the worst decides', async () => {
    function* packets(): Generator<Buffer> {
      const whole = handshake();
      for (let client = 0; client < 100_000; client += 1) for (const packet of whole) yield fromClient(packet, client);
    }
    await write('ended.pcap', packets());
    const { peak, notes, count } = await judged('ended.pcap');
    expect(count).toBe(1_000);
    expect(notes).toContain('99000 more connections were evaluated but are not listed.');
    expect(notes).not.toContain('were not followed');
    expect(peak - idle).toBeLessThan(96 * MIB);
  }, 300_000);

  test('connections that began before the capture do not displace later ones', async () => {
    const whole = handshake();
    const later = whole.findLast(({ bytes }) => bytes.readUInt16BE(36) === 443 && bytes.length > 66);
    function* packets(): Generator<Buffer> {
      for (let client = 0; later !== undefined && client < 2_000; client += 1) {
        const packet = fromClient(later, client);
        // Another server than that of the configuration.
        packet.writeUInt32BE(0x0a010101, 16 + 30);
        yield packet;
      }
      for (const packet of whole) yield fromClient(packet, 1);
    }
    await write('late.pcap', packets());
    const { notes, count } = await judged('late.pcap');
    expect(count).toBe(1);
    expect(notes).not.toContain('were not followed');
  });

  test('75 MB of one connection with a hole in it', async () => {
    const all = handshake();
    const data = all.find(({ bytes }) => bytes.length > 600);
    function* packets(): Generator<Buffer> {
      for (const { record, bytes } of all.slice(0, 4)) yield Buffer.concat([record, bytes]);
      if (data === undefined) return;
      const header = data.bytes.subarray(0, 66);
      const first = header.readUInt32BE(38);
      for (let index = 1; index <= 50_000; index += 1) {
        const packet = Buffer.alloc(16 + 1_466);
        data.record.copy(packet);
        packet.writeUInt32LE(1_466, 8);
        packet.writeUInt32LE(1_466, 12);
        header.copy(packet, 16);
        packet.writeUInt16BE(1_452, 16 + 16);
        packet.writeUInt32BE((first + index * 1_400) % 2 ** 32, 16 + 38);
        yield packet;
      }
      for (const { record, bytes } of all) yield Buffer.concat([record, bytes]);
    }
    await write('long.pcap', packets());
    expect((await judged('long.pcap')).peak - idle).toBeLessThan(64 * MIB);
  });

  test('a report has the verdict and the chain', async () => {
    const run = await runFtmWatch(
      [
        'report',
        '-c',
        join(folder, 'ftm-watch.yaml'),
        '--capture',
        join(folder, 'seen.pcap'),
        '-o',
        join(folder, 'report.zip'),
      ],
      { cwd: folder, prefix: sandbox.prefix },
    );
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
    const archive = await unzip(join(folder, 'report.zip'));
    const report: unknown = JSON.parse(archive.text('report.json'));
    expect(report).toMatchObject({ capture: { connections: [{ verdict: 'interception-suspected', tls: '1.2' }] } });
    const pem = archive.names.find((name) => name.startsWith('certificates/capture-01-'));
    expect(archive.text(pem ?? '')).toContain('BEGIN CERTIFICATE');
    expect(readFileSync(join(folder, 'report.zip')).includes(SEEN.subarray(100, 400))).toBe(false);
  });
});
