import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';

import { createDaemonClient } from '../../../src/cli/daemon-client.ts';
import type { Incident } from '../../../src/engine/incident/incident.ts';
import { ALL_TIME } from '../../../src/core/time-text.ts';
import { reportArchive } from '../../../src/report/report-archive.ts';
import { readStoredHistory } from '../../../src/store/stored-history.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { watchTurns } from '../../support/process/cpu-time.ts';
import { alertingBench } from '../../support/notify/alerting-bench.ts';
import { type Ran, runCommand } from '../../support/process/command-line.ts';
import { startControl } from '../../support/process/control-bench.ts';
import { corpus } from '../../support/security/corpus.ts';
import { AT_HQ } from '../../support/checks/message-context.ts';
import { channelsOf } from '../../support/notify/channel-bench.ts';
import { causeOf, diagnosisOf } from '../../support/checks/diagnosis-of.ts';
import { HOUR, timeline, MINUTE, START } from '../../support/store/incident-timeline.ts';
import { round } from '../../support/checks/observed.ts';
import { packetsOf, pcapOf, type WrittenPacket } from '../../support/network/packet-captures.ts';
import { parsedMails } from '../../support/mail/parsed-mails.ts';
import { createMailServer } from '../../support/mail/mail-server.ts';
import { unzip } from '../../support/process/unzipped.ts';
import { folderOfEachTest } from '../../support/process/test-folder.ts';

/** A capture of OpenSSL's s_client and s_server on loopback, with a self-signed certificate. */
const SEEN = corpus('capture').find(({ name }) => name === 'tls-1.2-and-dns.pcap.hex')?.bytes ?? Buffer.alloc(0);
const HOST = 'license.example.test';
const TLS_FACTS = { verdict: 'interception-suspected', because: null, cause: 'tls-interception-suspected', tls: '1.2' };

const folder = folderOfEachTest();

beforeEach(() => {
  writeFileSync(folder.at('seen.pcap'), SEEN);
  configure({});
});

function configure(more: object): void {
  const config = {
    licenseServer: { host: HOST },
    store: { path: 'store.sqlite' },
    trust: { baselineFile: 'learned.json', ...more },
  };
  writeFileSync(folder.at('ftm-watch.yaml'), JSON.stringify(config));
}

function run(args: readonly string[], more: Parameters<typeof runCommand>[1] = {}): Promise<Ran> {
  return runCommand([...args, '-c', 'ftm-watch.yaml'], { cwd: folder.path, ...more });
}

describe('ftm-watch capture', () => {
  test('judges the connection, and tells it as JSON and as text', async () => {
    const { code, output, errors } = await run(['capture', '--json', 'seen.pcap']);
    expect({ code, errors }).toEqual({ code: 2, errors: '' });
    expect(JSON.parse(output)).toEqual({
      files: [{ file: 'seen.pcap', format: 'pcap', packets: 16, skipped: 0, startedAt: '2026-11-28T14:16:57.587Z' }],
      connections: [
        {
          file: 'seen.pcap',
          client: '127.0.0.1:50138',
          server: '127.0.0.1:443',
          leg: null,
          startedAt: '2026-11-28T14:16:58.603Z',
          serverName: HOST,
          ...TLS_FACTS,
          confidence: 'suspected',
          chain: [
            {
              subject: `CN=${HOST}`,
              issuer: `CN=${HOST}`,
              sha256: expect.stringMatching(/^(?:[\dA-F]{2}:){31}/u),
              spki: expect.stringMatching(/^sha256\//u),
              notAfter: expect.stringMatching(/Z$/u),
            },
          ],
          clientAlert: null,
          serverAlert: null,
          end: 'closed-by-server',
          pairedWith: null,
          summary: expect.stringContaining('is probably intercepted'),
          evidence: expect.arrayContaining([`The certificate is self-signed by ${HOST}.`]),
        },
      ],
      interceptor: null,
      dns: [{ name: HOST, answers: ['127.0.0.1'], resolver: '127.0.0.1' }],
      notes: [],
    });
    const text = (await run(['capture', 'seen.pcap'])).output;
    expect(text).toContain('✘ 127.0.0.1:50138 → 127.0.0.1:443');
    expect(text).toContain('CRITICAL (suspected)');
    expect(text).toContain("diagnose sniffer packet any 'host 127.0.0.1 and port 443' 6 200 l");
  });

  test('reads standard input', async () => {
    async function* input(): AsyncGenerator<Buffer> {
      yield SEEN;
    }
    const { code, output } = await run(['capture', '--json', '-'], { input: input() });
    expect({ code, seen: JSON.parse(output) }).toMatchObject({ code: 2, seen: { connections: [TLS_FACTS] } });
  });

  test.each([
    ['there is no such file', ['none.pcap'], 'Cannot read "none.pcap"'],
    ['no file is named', [], 'No capture was specified'],
  ])('says what is wrong: %s', async (_, files, message) => {
    const { code, errors } = await run(['capture', ...files]);
    expect(code).toBe(3);
    expect(errors).toContain(message);
  });

  test.each([
    ['another format', Buffer.from([0x50, 0x4b, 0x03, 0x04, 1, 2]), 'the file begins with 0x504b0304'],
    ['nothing', Buffer.alloc(0), 'too short to be a capture'],
    ['a length that lies', lying(), 'the packet at offset 24 has an invalid length of 4294967295 bytes'],
    ['a file that is still being written', SEEN.subarray(0, 150), 'ends in the middle of a packet, at offset'],
    ['broken gzip', Buffer.from([0x1f, 0x8b, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8]), 'the gzip data cannot be decompressed'],
  ])('names the offset, and what was expected: %s', async (_, bytes, message) => {
    writeFileSync(folder.at('seen.pcap'), bytes);
    const { code, output, errors } = await run(['capture', '--json', 'seen.pcap']);
    expect({ code, errors }).toEqual({ code: 3, errors: '' });
    expect(output).toContain(message);
  });

  test('reads a DNS answer over TCP, however many others were captured only in part', async () => {
    const { header, packets } = packetsOf(SEEN);
    const [, answer, ...tls] = packets;
    const message = answer?.bytes.subarray(ETHERNET + IP + UDP) ?? Buffer.alloc(0);
    const stream = Buffer.concat([Buffer.from([0, message.length]), message]);
    const [half, rest] = [stream.subarray(0, 20), stream.subarray(20)];
    const others = Array.from({ length: 100 }, (_, index) => fromResolver(2000 + index, 0, half));
    const whole = [fromResolver(5000, 0, half), fromResolver(5000, half.length, rest)];
    writeFileSync(folder.at('seen.pcap'), pcapOf(header, [...others, ...whole, ...tls]));
    const { output } = await run(['capture', '--json', 'seen.pcap']);
    expect(JSON.parse(output)).toMatchObject({ dns: [{ name: HOST, answers: ['127.0.0.1'], resolver: '127.0.0.1' }] });
  });

  test('gives up on a text of long lines in a short time', async () => {
    const lines = ['dia'.repeat(1_300), 'x'.repeat(4_000)];
    writeFileSync(folder.at('seen.txt'), Array.from({ length: 1_000 }, (_, index) => lines[index % 2]).join('\n'));
    using turns = watchTurns();
    const { output } = await run(['capture', 'seen.txt']);
    expect(output).toContain('the text contains no packet');
    expect(turns.sum()).toBeLessThan(2_000);
  });

  test('prints the commands, with the switch of offloading and its undo', async () => {
    const { code, output } = await run(['capture', '--print-command', 'fortigate']);
    expect(code).toBe(0);
    expect(output).toContain(`diagnose sniffer packet any 'host ${HOST} and port 443' 6 200 l`);
    expect(output).toContain('set auto-asic-offload disable');
    expect(output).toContain('set auto-asic-offload enable');
    const unit = (await run(['capture', '--print-command', 'appliance'])).output;
    expect(unit).toContain('System > Network > Packet Capture');
    expect(unit).toContain('execute tcpdump');
  });
});

/** Lengths of the headers. */
const [ETHERNET, IP, UDP, TCP] = [14, 20, 8, 20];

/** Returns a TCP segment from the resolver in the capture to a port of the client. */
function fromResolver(port: number, sequence: number, payload: Buffer): WrittenPacket {
  const [, answer] = packetsOf(SEEN).packets;
  const bytes = Buffer.concat([
    answer?.bytes.subarray(0, ETHERNET + IP) ?? Buffer.alloc(0),
    Buffer.alloc(TCP),
    payload,
  ]);
  bytes.writeUInt16BE(IP + TCP + payload.length, ETHERNET + 2);
  bytes[ETHERNET + 9] = 6;
  bytes.writeUInt16BE(53, ETHERNET + IP);
  bytes.writeUInt16BE(port, ETHERNET + IP + 2);
  bytes.writeUInt32BE(sequence, ETHERNET + IP + 4);
  bytes[ETHERNET + IP + 12] = 0x50;
  const record = Buffer.from(answer?.record ?? Buffer.alloc(16));
  record.writeUInt32LE(bytes.length, 8);
  record.writeUInt32LE(bytes.length, 12);
  return { record, bytes };
}

function lying(): Buffer {
  const bytes = Buffer.from(SEEN);
  bytes.writeUInt32LE(0xffffffff, 24 + 8);
  return bytes;
}

describe('ftm-watch trust learn --capture', () => {
  test('only with a fingerprint from another source, whatever is trusted', async () => {
    const learn = (...more: readonly string[]): Promise<Ran> =>
      run(['trust', 'learn', '--yes', '--capture', 'seen.pcap', ...more]);
    const refused = await learn();
    expect(refused.code).toBe(2);
    const sha256 = /SHA-256 (\S+)/u.exec(refused.output)?.[1] ?? '';
    expect(() => readFileSync(folder.at('learned.json'))).toThrow('ENOENT');
    expect((await learn('--fingerprint', sha256.replace(/^../u, '00'))).code).toBe(2);
    expect(await learn('--fingerprint', sha256)).toMatchObject({ code: 0, errors: '' });
    expect(readFileSync(folder.at('learned.json'), 'utf8')).toContain(HOST);
    expect((await run(['capture', 'seen.pcap'])).output).toContain('GENUINE');

    configure({ profile: 'pinned' });
    rmSync(folder.at('learned.json'));
    expect(await learn()).toMatchObject({
      code: 2,
      output: expect.stringContaining('only with a fingerprint from another source'),
    });
  });
});

describe('ftm-watch capture --attach', () => {
  const socket = (): string => folder.at('store.sqlite.sock');

  /** Writes the capture as if it was made now. */
  function captureNow(): void {
    const { header, packets } = packetsOf(SEEN);
    const moved = packets.map(({ record, bytes }) => {
      const now = Buffer.from(record);
      now.writeUInt32LE(Math.floor(systemClock.now() / 1_000), 0);
      return { record: now, bytes };
    });
    writeFileSync(folder.at('seen.pcap'), pcapOf(header, moved));
  }

  function incident(more: Partial<Incident> = {}): Incident {
    const line = timeline().wait(systemClock.now() - START - MINUTE);
    const [opened] = line.rounds(2, [causeOf('tls-intercepted')]).state.incidents;
    if (opened === undefined) throw new Error('An incident was to open');
    return { ...opened, ...more };
  }

  test('adds the verdict to an open incident, and changes nothing else', async () => {
    captureNow();
    const opened = incident();
    const known = { incidents: [opened], unitAddresses: ['127.0.0.1'], now: systemClock.now() };
    await using control = await startControl(socket(), known);
    const { code, errors } = await run(['capture', '--json', '--attach', opened.id, 'seen.pcap']);
    expect({ code, errors }).toEqual({ code: 2, errors: `Added the verdict to incident ${opened.id}\n` });
    expect(control.state.changes).toMatchObject([
      {
        action: 'attach-capture',
        incident: opened.id,
        detail: expect.stringMatching(/^127\.0\.0\.1:50138 at \S+Z, TLS 1\.2: interception-suspected\. .*\(SHA-256 /u),
      },
    ]);
    const { detail = '' } = control.state.changes[0] ?? {};
    const attached = [`Packet capture of FortiAuthenticator's connection: ${detail}`];
    const evidence = [...attached, ...opened.cause.evidence];
    expect(control.state.incidents).toEqual([{ ...opened, attached, cause: { ...opened.cause, evidence } }]);
    const daemon = await createDaemonClient(
      { socket: socket(), storePath: null },
      { clock: systemClock, signal: AbortSignal.timeout(10_000) },
    );
    const { text } = await daemon.ask('GET', `/api/v1/incidents/${opened.id}`);
    expect(JSON.parse(text)).toMatchObject({ incident: { evidence } });
    const page = (await daemon.ask('GET', `/incidents/${opened.id}`)).text;
    expect(page).toContain('Packet capture of FortiAuthenticator');
  });

  test('is in later mails and in the archive of a report', async () => {
    captureNow();
    await using inbox = await createMailServer();
    using bench = alertingBench();
    bench.clock.step(systemClock.now() - bench.clock.now());
    const server = { host: '127.0.0.1', port: inbox.port, security: 'none' };
    const email = { from: 'ftm-watch@example.org', to: ['ops@example.org'], servers: [server] };
    const alerting = bench.start([], { channels: await channelsOf({ email }, { context: AT_HQ }) });
    const cause = causeOf('tls-interception-suspected');
    await bench.rounds(alerting, 2, [cause]);
    const [opened] = alerting.incidents();
    if (opened === undefined) throw new Error('Expected an open incident');
    await using _ = await startControl(
      socket(),
      { incidents: [opened], unitAddresses: ['127.0.0.1'] },
      { attachEvidence: (id, evidence) => alerting.attach(id, evidence) },
    );
    expect(await run(['capture', '--json', '--attach', opened.id, 'seen.pcap'])).toMatchObject({ code: 2 });
    bench.clock.advance(5 * HOUR);
    await bench.rounds(alerting, 1, [cause]);
    const verdict =
      /Packet capture of FortiAuthenticator's connection: 127\.0\.0\.1:50138 at .*interception-suspected\./u;
    const [first, later] = parsedMails((await inbox.arrived(2)).map(({ raw }) => raw)).map(({ text }) =>
      text.replaceAll(/\s+/gu, ' '),
    );
    expect(first).not.toMatch(verdict);
    expect(later).toMatch(verdict);

    const now = bench.clock.now();
    const { bytes } = reportArchive({
      site: 'hq',
      writtenAt: now,
      period: ALL_TIME,
      versions: { ftmWatch: '1.2.3', node: '26', openssl: '3.5', os: 'Linux' },
      examination: {
        diagnosis: diagnosisOf(now, []),
        observations: round({ startedAt: now }),
        targets: [],
      },
      configuration: {},
      capture: null,
      storedHistory: readStoredHistory(bench.path, { incidents: 9, outboxEntries: 9, certificates: 9 }),
      logMemory: { kind: 'none' },
      secrets: [],
    });
    writeFileSync(folder.at('report.zip'), bytes);
    const report: unknown = JSON.parse((await unzip(folder.at('report.zip'))).text('report.json'));
    const evidence = [expect.stringMatching(verdict), ...opened.cause.evidence];
    expect(report).toMatchObject({ timeline: { incidents: [{ id: opened.id, evidence }] } });
  });

  test.each<[string, Partial<Incident>, readonly string[], string]>([
    ['of another machine', {}, ['10.0.0.5'], 'No connection in the capture comes from a configured unit'],
    [
      'from another time',
      { since: Date.UTC(2100, 0, 1) },
      ['127.0.0.1'],
      'The capture contains no connection from a unit between',
    ],
    ['when the incident has ended', { status: 'closed' }, ['127.0.0.1'], 'The incident has already been resolved'],
  ])('refuses what does not fit: %s', async (_, more, unitAddresses, message) => {
    captureNow();
    const opened = incident(more);
    await using control = await startControl(socket(), { incidents: [opened], unitAddresses });
    const { code, errors } = await run(['capture', '--json', '--attach', opened.id, 'seen.pcap']);
    expect(code).toBe(3);
    expect(errors).toContain(message);
    expect(control.state.changes).toEqual([]);
  });
});
