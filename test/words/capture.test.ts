import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, test } from 'vitest';
import { systemClock } from '../../src/system/clock.ts';
import { packetsOf, pcapOf, type WrittenPacket } from '../support/network/packet-captures.ts';
import { runCommand } from '../support/process/command-line.ts';
import { corpus } from '../support/security/corpus.ts';
import { REMEDY } from '../../src/document/incident-story.ts';
import { expectRecorded } from './recorded.ts';

const folder = mkdtempSync(join(tmpdir(), 'ftm-watch-captures-'));
afterAll(() => rmSync(folder, { recursive: true }));

const CORPUS = new Map(corpus('capture').map(({ name, bytes }) => [name, bytes]));
const fromCorpus = (name: string): Buffer => CORPUS.get(name) ?? Buffer.alloc(0);

/** A query of the name, and a connection of OpenSSL's s_client and s_server with a self-signed certificate. */
const { header, packets: all } = packetsOf(fromCorpus('tls-1.2-and-dns.pcap.hex'));
const [DNS, TLS] = [all.slice(0, 2), all.slice(2)];
const [ETHERNET, IP, TCP] = [14, 20, 14 + 20];
const [FIN, SYN, RST, ACK] = [1, 2, 4, 16];

const write = (...packets: readonly WrittenPacket[]): Buffer => pcapOf(header, packets);

/** Returns a copy of a packet that the given function has changed. */
function changed({ record, bytes }: WrittenPacket, change: (bytes: Buffer, record: Buffer) => void): WrittenPacket {
  const copy = { record: Buffer.from(record), bytes: Buffer.from(bytes) };
  change(copy.bytes, copy.record);
  return copy;
}

function isOfClient({ bytes }: WrittenPacket): boolean {
  return bytes.readUInt16BE(TCP + 2) === 443;
}

/** Ends a segment behind its headers, and sets its flags. */
function bare(packet: WrittenPacket | undefined, flags: number): WrittenPacket {
  if (packet === undefined) throw new Error('The capture is too short');
  const { record, bytes } = changed(packet, (own, time) => {
    own.writeUInt16BE(IP + 20, ETHERNET + 2);
    own[TCP + 12] = 0x50;
    own[TCP + 13] = flags;
    for (const at of [8, 12]) time.writeUInt32LE(TCP + 20, at);
  });
  return { record, bytes: bytes.subarray(0, TCP + 20) };
}

function later(packet: WrittenPacket, seconds: number): WrittenPacket {
  return changed(packet, (_, record) => record.writeUInt32LE(record.readUInt32LE(0) + seconds, 0));
}

/** Replaces a text in all packets by one of the same length. */
function replaced(packets: readonly WrittenPacket[], from: string, to: string): readonly WrittenPacket[] {
  return packets.map((packet) =>
    changed(packet, (bytes) => {
      for (let at = bytes.indexOf(from); at !== -1; at = bytes.indexOf(from, at + 1)) bytes.write(to, at, 'latin1');
    }),
  );
}

const SERVER = TLS.filter((packet) => !isOfClient(packet));
const CLIENT = TLS.filter(isOfClient);
const [SYN_SENT, ANSWER] = [CLIENT[0], SERVER[0]];

/** Everything up to the packet before this one, of the connection alone. */
const beginnings = Object.fromEntries(
  TLS.map((_, index) => [`its first ${String(index + 1)} packets`, [write(...TLS.slice(0, index + 1))]]),
);

const CAPTURES: Readonly<Record<string, readonly Buffer[]>> = {
  ...Object.fromEntries([...CORPUS].map(([name, bytes]) => [name, [bytes]])),
  ...beginnings,
  'the client alone': [write(...CLIENT)],
  'the server alone': [write(...SERVER)],
  'a packet is missing': [write(...TLS.filter((_, index) => index !== 5))],
  'its beginning is missing': [write(...TLS.slice(5))],
  'a name alone': [write(...DNS)],
  nothing: [write()],
  'refused by the client': [write(bare(SYN_SENT, SYN), bare(ANSWER, RST + ACK))],
  'never answered': [write(bare(SYN_SENT, SYN), later(bare(SYN_SENT, SYN), 20))],
  'reset in the middle': [write(...TLS.slice(0, 5), bare(SERVER[1], RST))],
  'reset by the client': [write(...TLS.slice(0, 8), bare(CLIENT[1], RST))],
  'ended in the middle': [write(...TLS.slice(0, 5), bare(SERVER[1], FIN + ACK))],
  'another device resets': [
    write(
      ...TLS.slice(0, 5),
      changed(bare(SERVER[1], RST), (bytes) => void bytes.writeUInt8(9, ETHERNET + 8)),
    ),
  ],
  'of another host': [write(...replaced(TLS, 'license.example.test', 'another.example.test'))],
  'cut lengths': [
    write(...TLS.map((packet) => changed(packet, (bytes) => void bytes.writeUInt16BE(9_000, ETHERNET + 2)))),
  ],
  fragments: [
    write(...TLS.map((packet) => changed(packet, (bytes) => void bytes.writeUInt16BE(0x2001, ETHERNET + 6)))),
  ],
  'another protocol': [write(...TLS.map((packet) => changed(packet, (bytes) => void bytes.writeUInt16BE(0x1234, 12))))],
  'in plain text': [
    write(
      ...TLS.slice(0, 4),
      ...TLS.slice(4, 7).map((packet) =>
        isOfClient(packet)
          ? packet
          : changed(packet, (bytes) => void bytes.write('SSH-2.0-OpenSSH', bytes.length - 40)),
      ),
    ),
  ],
  'both sides, the same': [write(...TLS), write(...TLS.map((packet) => later(packet, 0)))],
  'both sides, at different times': [write(...TLS), write(...TLS.map((packet) => later(packet, 4_000)))],
  'a file that is no capture': [Buffer.from('PK\u0003\u0004zip')],
  'a file of a few bytes': [Buffer.from([1])],
  'a file that ends early': [write(...TLS).subarray(0, 150)],
  'a length that lies': [
    write(...TLS.map((packet) => changed(packet, (_, record) => void record.writeUInt32LE(0xffff_ffff, 8)))),
  ],
  'broken gzip': [Buffer.from([0x1f, 0x8b, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8])],
  'a text without packets': [Buffer.from('diagnose sniffer\nnothing\n')],
};

/** On a busy machine, signatures take longer than a chain may take. */
const STEADY = { ...systemClock, elapsed: () => 0 };

test('what the analysis of a capture says', async () => {
  writeFileSync(
    join(folder, 'ftm-watch.yaml'),
    'licenseServer: { host: license.example.test }\nstore: { path: a.sqlite }\n',
  );
  const told: [string, string][] = [];
  for (const [name, files] of Object.entries(CAPTURES)) {
    const names = files.map((_, index) => `capture-${String(index + 1)}`);
    for (const [index, file] of names.entries()) writeFileSync(join(folder, file), files[index] ?? '');
    const options = files.length === 1 ? [] : ['--all'];
    const args = ['capture', '-c', 'ftm-watch.yaml', ...options, ...names];
    const { code, output, errors } = await runCommand(args, { cwd: folder, clock: STEADY });
    // Remedies are recorded with their causes.
    const text = output.replace(new RegExp(`^ {2}${REMEDY}[^]*?(?=^[A-Z ]+: )`, 'mu'), '');
    told.push([name, `exit code ${String(code)}\n${text}${errors}`.replaceAll(folder, '/folder')]);
  }
  await expectRecorded('capture', Object.fromEntries(told));
});
