import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';

import type { captureToJson } from '../../../src/capture/judge-capture.ts';
import { packetsOf, pcapOf, fortigateText, type WrittenPacket } from '../../support/network/packet-captures.ts';
import type { Sandbox } from '../../support/network/sandbox.ts';
import { startUnbound } from '../../support/network/unbound.ts';
import { createWire, type Wire, WIRE_HOST, WIRE_NEEDS, WIRE_SERVER } from './wire.ts';
import { type Ran, runCommand } from '../../support/process/command-line.ts';
import { describeWhere } from '../../support/process/privilege.ts';

type CaptureJson = ReturnType<typeof captureToJson>;

const CLIENT = '10.0.0.2';
const NEEDS = [...WIRE_NEEDS, { program: 'editcap' }, { program: 'nft' }, { program: 'unbound' }] as const;
/** To the second day of 1970. */
const SECONDS_TO_1970 = -Math.floor(Date.now() / 1_000) + 86_400;

describeWhere(NEEDS, 'a capture that shows only part of what happened', () => {
  let wire: Wire;
  let client: Sandbox;
  let server: Sandbox;
  let genuine: Buffer;
  let rejected: Buffer;

  beforeAll(async () => {
    wire = await createWire();
    ({ client, server } = wire);
    genuine = await wire.capture(() => wire.connect('-tls1_2'));
    rejected = await wire.capture(() => wire.connect('-tls1_3 -CAfile leaf.pem -verify_return_error'));
    await configure({});
  }, 60_000);
  afterAll(() => wire[Symbol.asyncDispose]());

  function configure(licenseServer: object): Promise<void> {
    const config = {
      licenseServer: { host: WIRE_HOST, expectedAddresses: [WIRE_SERVER, 'fd00::1'], ...licenseServer },
      trust: { profile: 'pinned', caFiles: ['root.pem'] },
    };
    return writeFile(join(wire.folder, 'config.yaml'), JSON.stringify(config));
  }

  async function run(captures: readonly (Buffer | string)[], ...options: readonly string[]): Promise<Ran> {
    const names = captures.map((_, index) => `part-${String(index)}`);
    for (const [index, name] of names.entries()) await writeFile(join(wire.folder, name), captures[index] ?? '');
    return runCommand(['capture', '-c', 'config.yaml', ...options, ...names], { cwd: wire.folder });
  }

  async function verdictOn(
    ...captures: readonly (Buffer | string)[]
  ): Promise<CaptureJson & { readonly code: number }> {
    const { code, output } = await run(captures, '--json');
    const parsed: CaptureJson = JSON.parse(output);
    return { ...parsed, code };
  }

  /** Rewrites a capture with a program of Wireshark. */
  async function edited(pcap: Buffer, ...options: readonly string[]): Promise<Buffer> {
    const [from, to] = [join(wire.folder, 'edit.pcap'), join(wire.folder, 'edited.pcap')];
    await writeFile(from, pcap);
    execFileSync('editcap', ['-F', 'pcap', ...options, from, to]);
    return execFileSync('cat', [to]);
  }

  function packetsFrom(pcap: Buffer, address: string): Buffer {
    const { header, packets } = packetsOf(pcap);
    return pcapOf(
      header,
      packets.filter(({ bytes }) => bytes.subarray(26, 30).join('.') === address),
    );
  }

  /** Runs while the server's firewall has this rule in its input chain. */
  async function whileFiltering<T>(rule: string, action: () => Promise<T>): Promise<T> {
    server.sh(`nft 'table inet parts { chain input { type filter hook input priority 0; ${rule}; }; }'`);
    try {
      return await action();
    } finally {
      server.sh('nft delete table inet parts');
    }
  }

  test('only the packets of the server: its certificate is judged, and not its end', async () => {
    const { connections, code } = await verdictOn(packetsFrom(genuine, WIRE_SERVER));
    expect({ connections, code }).toMatchObject({ code: 0, connections: [{ verdict: 'genuine', cause: null }] });
  });

  test.each(['inet', 'inet6'])('a firewall rejects the SYN with ICMP, %s', async (family) => {
    const [from, to] = family === 'inet' ? [WIRE_SERVER, WIRE_SERVER] : ['fd00::1', '[fd00::1]'];
    await configure({ port: 4446 });
    const reject = 'tcp dport 4446 reject with icmpx type admin-prohibited';
    const pcap = await whileFiltering(reject, () =>
      wire.capture(() => wire.connect('-tls1_2', `${to}:4446`), { filter: 'tcp or icmp or icmp6' }),
    );
    const isIcmp = (bytes: Buffer): boolean => bytes[23] === 1 || bytes[20] === 58;
    const place = (bytes: Buffer): string => `port1 ${isIcmp(bytes) ? 'out' : 'in'}`;
    const texts = ([{ level: 5 }, { level: 6 }, { level: 6, place }] as const).map((log) => fortigateText(pcap, log));
    for (const capture of [pcap, ...texts]) {
      const { connections, code } = await verdictOn(capture);
      expect(connections).toMatchObject([{ end: 'refused', cause: 'egress-blocked' }]);
      expect(connections[0]?.summary).toContain(`${from} rejected the connection`);
      expect(code).toBe(2);
    }
    await configure({});
  });

  test('a client that sends no server name', async () => {
    const nameless = await wire.capture(() =>
      wire.sh(client, `echo Q | timeout 10 openssl s_client -connect ${WIRE_SERVER}:443 -tls1_2 -noservername 2>&1`),
    );
    const evidence = async (capture: Buffer): Promise<string> =>
      (await verdictOn(capture)).connections.flatMap((one) => one.evidence).join('\n');
    expect(await evidence(nameless)).toContain('(SNI)');
    expect(await evidence(genuine)).not.toContain('(SNI)');
  });

  test('an answer from a resolver shows that both directions were captured', async () => {
    await using _ = await startUnbound(server, {
      address: '10.0.0.53',
      names: { [WIRE_HOST]: [WIRE_SERVER] },
    });
    client.sh('ip route add 10.0.0.53/32 dev wire');
    await configure({ port: 4447 });
    const ask = `const r=new(require('dns').Resolver)();r.setServers(['10.0.0.53']);r.resolve4('${WIRE_HOST}',()=>{})`;
    const pcap = await whileFiltering('tcp dport 4447 drop', () =>
      wire.capture(
        () => {
          wire.sh(client, `${process.execPath} -e "${ask}"`);
          wire.sh(client, `timeout 4 openssl s_client -connect ${WIRE_SERVER}:4447 </dev/null`);
        },
        { filter: 'tcp or udp port 53' },
      ),
    );
    const { connections, code } = await verdictOn(pcap);
    expect(connections).toMatchObject([{ end: 'no-answer', cause: 'egress-blocked', because: null }]);
    expect(code).toBe(2);
    const alone = await verdictOn(packetsFrom(pcap, CLIENT));
    expect(alone).toMatchObject({ code: 3, connections: [{ because: 'one-direction' }] });
    await configure({});
  });

  test.each([
    ['1970', SECONDS_TO_1970],
    ['2031', 5 * 365 * 86_400],
  ])('the capturing device has the year %s: a genuine certificate stays genuine', async (_, seconds) => {
    const shifted = await edited(genuine, '-t', String(seconds));
    const { connections, code } = await verdictOn(shifted);
    expect(connections).toMatchObject([{ verdict: 'genuine', cause: null }]);
    expect(connections[0]?.evidence.join()).toContain('clock');
    expect(code).toBe(0);
  });

  test('a small file that decompresses to many empty packets is read in part', async () => {
    const empty = Buffer.alloc(16 * 1024 * 1024);
    const bomb = Buffer.concat([gzipSync(genuine), ...Array.from({ length: 6 }, () => gzipSync(empty))]);
    const { files, connections, notes, code } = await verdictOn(bomb);
    expect(files).toMatchObject([{ packets: 5_000_000 }]);
    expect(notes.join()).toContain('5000000');
    expect({ verdict: connections[0]?.verdict, code }).toEqual({ verdict: 'genuine', code: 0 });
  });

  test('the last line tells a rejected certificate, a shut port and a genuine one apart', async () => {
    const lastLine = async (capture: Buffer): Promise<string | undefined> =>
      (await run([capture])).output.trimEnd().split('\n').at(-1)?.split(':')[0];
    const refused = await wire.capture(() => wire.connect('-tls1_2 -CAfile leaf.pem -verify_return_error'));
    expect(await lastLine(refused)).toBe('REJECTED');
    expect(await lastLine(rejected)).toBe('REJECTED');
    expect(await lastLine(genuine)).toBe('GENUINE');
    await configure({ port: 4448 });
    const shut = await wire.capture(() => wire.connect('-tls1_2', `${WIRE_SERVER}:4448`));
    expect(await lastLine(shut)).toBe('NOT REACHED');
    await configure({});
  });

  test('the printed filter covers the connection to the proxy', async () => {
    await configure({ proxy: 'http://10.0.0.9:8080' });
    const { output } = await run([], '--print-command', 'fortigate');
    expect(output).toMatch(/\(host 10\.0\.0\.9 and port 8080\) or \(.*port 443\)/u);
    await configure({});
  });

  test('nothing is claimed that the packets do not show', { timeout: 240_000 }, async () => {
    const forged = await forgedCapture();
    const made = new Set<RegExp>();
    for (const whole of [genuine, rejected, forged]) {
      const { header, packets } = packetsOf(whole);
      const parts = [
        ...packets.map((_, index) => packets.slice(0, index + 1)),
        ...packets.map((_, index) => packets.slice(index)),
        ...packets.map((_, index) => packets.toSpliced(index, 1)),
        ...[WIRE_SERVER, CLIENT].map((from) => packetsOf(packetsFrom(whole, from)).packets),
      ];
      for (const part of parts) {
        const capture = pcapOf(header, part);
        const { output } = await run([capture]);
        const { connections } = await verdictOn(capture);
        const claims = CLAIMS.filter(([claim]) => claim.test(output));
        const unfounded = claims.filter(([, isShown]) => !isShown(part, connections));
        expect({ unfounded, output: unfounded.length === 0 ? '' : output }).toEqual({ unfounded: [], output: '' });
        claims.forEach(([claim]) => made.add(claim));
      }
    }
    expect(CLAIMS.filter(([claim, isShown]) => isShown !== never && !made.has(claim))).toEqual([]);
  });

  /** A connection to a server with a self-signed certificate. */
  async function forgedCapture(): Promise<Buffer> {
    wire.sh(
      server,
      'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout forged.key -out forged.pem ' +
        `-subj '/O=Example Corp/CN=${WIRE_HOST}' -addext subjectAltName=DNS:${WIRE_HOST} -days 30`,
    );
    await using _ = await wire.listening('openssl s_server -accept 9444 -key forged.key -cert forged.pem -www', 9444);
    const pcap = await wire.capture(() => wire.connect('-tls1_2', `${WIRE_SERVER}:9444`));
    // As if it were on the port of the licence server.
    const { header, packets } = packetsOf(pcap);
    return pcapOf(
      header,
      packets.map(({ record, bytes }) => {
        const moved = Buffer.from(bytes);
        for (const at of [34, 36]) if (moved.readUInt16BE(at) === 9444) moved.writeUInt16BE(443, at);
        return { record, bytes: moved };
      }),
    );
  }
});

type IsShown = (packets: readonly WrittenPacket[], connections: CaptureJson['connections']) => boolean;

const isFrom =
  (address: string): IsShown =>
  (packets) =>
    packets.some(({ bytes }) => bytes.subarray(26, 30).join('.') === address);
const hasChain: IsShown = (_, connections) => connections.some(({ chain }) => chain.length > 0);
const never: IsShown = () => false;
/** TCP flags of Ethernet packets with an IPv4 header of 20 bytes. */
const hasFlag =
  (flag: number, address: string): IsShown =>
  (packets) =>
    packets.some(({ bytes }) => bytes.subarray(26, 30).join('.') === address && (bytes.readUInt8(47) & flag) !== 0);

/** Each kind of sentence, and what the file must contain so that it can be known. */
const CLAIMS: readonly (readonly [claim: RegExp, isShown: IsShown])[] = [
  [/unrelated host|internet is reachable|from ftm-watch|configure an unrelated/iu, never],
  [
    /GENUINE: |does not present|issuer in the evidence|re-signs certificates as|NOT VALID|certificate chain as it was sent/u,
    hasChain,
  ],
  [/is issued by|signed by|self-signed|has expired|not yet valid/u, hasChain],
  [/intercept/iu, (packets, connections) => hasChain(packets, connections) || rejects(connections)],
  [/The client (?:rejected|sent the alert)|REJECTED: /u, (_, connections) => rejects(connections)],
  [/The client (?:sent|closed|reset|was asked)/u, isFrom(CLIENT)],
  [/The server (?:sent|chose|closed|resumed)/u, isFrom(WIRE_SERVER)],
  [/The client closed the connection/u, hasFlag(1, CLIENT)],
  [/The (?:server|connection was) (?:closed|reset)/u, (packets) => hasFlag(5, WIRE_SERVER)(packets, [])],
  [/answers from other hosts/u, never],
];

function rejects(connections: CaptureJson['connections']): boolean {
  return connections.some(({ clientAlert }) => clientAlert !== null);
}
