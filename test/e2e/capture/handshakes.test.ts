import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { type CaptureTarget, type Connection, readCapture } from '../../../src/capture/connections.ts';
import type { captureToJson } from '../../../src/capture/judge-capture.ts';
import { CaptureFile } from '../../../src/capture/packets.ts';
import { runHere } from '../../support/process/command-line.ts';
import {
  encapsulated,
  fortigateText,
  type FortigateLog,
  packetsOf,
  pcapOf,
  rawIp,
  rewritten,
  tunnelled,
} from '../../support/network/packet-captures.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import type { Sandbox } from '../../support/network/sandbox.ts';
import { startUnbound } from '../../support/network/unbound.ts';
import { createWire, type Wire, WIRE_HOST as HOST, WIRE_NEEDS } from './wire.ts';

type CaptureJson = ReturnType<typeof captureToJson>;

const TARGET = { host: HOST, port: 443, serverName: HOST, addresses: ['10.0.0.1', 'fd00::1'] };
/** Enables TLS 1.0 and 1.1, which are disabled by default. */
const OLD = 'ALL@SECLEVEL=0';

const NEEDS = [
  ...WIRE_NEEDS,
  { program: 'tshark' },
  { program: 'gnutls-serv' },
  { program: 'nft' },
  { program: 'unbound' },
  { program: 'curl' },
] as const;

/** Facts about a connection that both tshark and ftm-watch read. */
interface Seen {
  readonly version: string | null;
  readonly name: string | null;
  readonly chain: readonly string[];
  readonly alerts: readonly number[];
}

interface ReadCapture {
  readonly file: CaptureFile;
  readonly connections: readonly Connection[];
}

describeWhere(NEEDS, 'handshakes in captures that tcpdump made', () => {
  let wire: Wire;
  let folder = '';
  let server: Sandbox;
  let client: Sandbox;
  const stack = new AsyncDisposableStack();

  beforeAll(async () => {
    wire = stack.use(await createWire());
    ({ folder, server, client } = wire);
    for (const [command, port] of [
      [`openssl s_server -accept 8443 ${wire.identity} -www -cipher ${OLD} -tls1_2 -Verify 1`, 8443],
      ['gnutls-serv -p 4443 --x509keyfile key.pem --x509certfile chain.pem --http -q', 4443],
      [`${process.execPath} -e "${NODE_SERVER}"`, 9443],
      [`${process.execPath} -e "${NODE_PROXY}"`, 3128],
    ] as const)
      stack.use(await wire.listening(command, port));
  }, 60_000);
  afterAll(() => stack[Symbol.asyncDispose]());

  async function read(bytes: Buffer | string, target: CaptureTarget = TARGET): Promise<ReadCapture> {
    const whole = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
    // In chunks, as from a file.
    async function* pieces(): AsyncGenerator<Buffer> {
      for (let at = 0; at < whole.length; at += 1_000) yield whole.subarray(at, at + 1_000);
    }
    const file = new CaptureFile('seen');
    const connections: Connection[] = [];
    const onConnection = (connection: Connection): unknown => connections.push(connection);
    await readCapture(file, pieces(), target, true, { onConnection, onProgress: () => undefined });
    return { file, connections };
  }

  function ours({ connections }: ReadCapture): readonly Seen[] {
    return connections
      .toSorted((one, other) => one.startedAt - other.startedAt)
      .map(({ handshake: { hello, version, certificates, clientAlert, serverAlert } }) => ({
        version,
        name: hello?.serverName ?? null,
        chain: (certificates ?? []).map((der) => Buffer.from(der).toString('hex')),
        alerts: [clientAlert, serverAlert].flatMap((alert) => alert?.code ?? []),
      }));
  }

  /** Returns the same data as read by tshark, which parses the file independently. */
  async function tsharks(pcap: Buffer): Promise<readonly Seen[]> {
    const file = join(folder, 'oracle.pcap');
    await writeFile(file, pcap);
    const fields = [
      'tcp.stream',
      'tls.handshake.type',
      'tls.handshake.version',
      'tls.handshake.extensions.supported_version',
      'tls.handshake.extensions_server_name',
      'tls.handshake.certificate',
      'tls.alert_message.desc',
    ];
    const ports = [443, 8443, 4443, 9443].flatMap((port) => ['-d', `tcp.port==${String(port)},tls`]);
    const { stdout } = spawnSync(
      'tshark',
      ['-r', file, '-n', '-Y', 'tls', ...ports, '-T', 'json', ...fields.flatMap((field) => ['-e', field])],
      { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
    );
    const frames: readonly { readonly _source: { readonly layers: Readonly<Record<string, readonly string[]>> } }[] =
      JSON.parse(stdout);
    const streams = Map.groupBy(frames, ({ _source: { layers } }) => layers['tcp.stream']?.[0]);
    return [...streams.values()].map((parts) => {
      const all = (field: string): readonly string[] => parts.flatMap(({ _source: { layers } }) => layers[field] ?? []);
      const answers = parts.filter(({ _source: { layers } }) => layers['tls.handshake.type']?.[0] === '2');
      const [answer] = answers;
      const chosen =
        answer?._source.layers['tls.handshake.extensions.supported_version']?.[0] ??
        answer?._source.layers['tls.handshake.version']?.[0];
      return {
        version: chosen === undefined ? null : (VERSIONS[chosen] ?? chosen),
        name: all('tls.handshake.extensions_server_name')[0] ?? null,
        chain: all('tls.handshake.certificate'),
        alerts: all('tls.alert_message.desc')
          .map(Number)
          .filter((code) => code !== 0),
      };
    });
  }

  async function agrees(pcap: Buffer): Promise<readonly Seen[]> {
    const whole = await read(pcap);
    const seen = ours(whole);
    expect(seen).toEqual(await tsharks(pcap));
    await isSameAsText(pcap);
    return seen;
  }

  /** Expects the same result from the packets as text. */
  async function isSameAsText(pcap: Buffer, target: CaptureTarget = TARGET): Promise<void> {
    const whole = comparable(await read(pcap, target));
    for (const text of await textsOf(pcap)) expect(comparable(await read(text, target))).toEqual(whole);
  }

  /** Returns the same packets as printed by FortiGates and tcpdump. */
  async function textsOf(pcap: Buffer): Promise<readonly string[]> {
    const file = join(folder, 'printed.pcap');
    await writeFile(file, pcap);
    return [
      ...([2, 3, 5, 6] as const).map((level) => fortigateText(pcap, { level })),
      ...['-X', '-XX'].map((options) => wire.sh(client, `tcpdump -r ${file} -n -tttt ${options}`).stdout),
    ];
  }

  test('OpenSSL: each version, refused and resumed', async () => {
    const pcap = await wire.capture(() => {
      for (const version of ['-tls1', '-tls1_1', '-tls1_2', '-tls1_3']) wire.connect(`${version} -cipher ${OLD}`);
      wire.connect('-tls1_2 -CAfile leaf.pem -verify_return_error');
      wire.connect('-tls1_3 -CAfile leaf.pem -verify_return_error');
      wire.connect('-tls1_2 -sess_out session.pem');
      wire.connect('-tls1_2 -sess_in session.pem');
      wire.connect('-tls1_2', '10.0.0.1:8443');
    });
    const seen = await agrees(pcap);
    expect(seen.map(({ version }) => version)).toEqual(['1.0', '1.1', '1.2', '1.3', '1.2', '1.3', '1.2', '1.2', '1.2']);
    expect(seen.map(({ chain }) => chain.length)).toEqual([2, 2, 2, 0, 2, 0, 2, 0, 2]);
    const { connections } = await read(pcap);
    expect(connections.map(({ handshake }) => handshake.isResumed)).toEqual([...Array(7).fill(false), true, false]);
    expect(connections.map(({ handshake }) => handshake.clientAlert?.code ?? null)).toEqual([
      null,
      null,
      null,
      null,
      48,
      48,
      null,
      null,
      null,
    ]);
    expect(connections.at(-1)?.handshake).toMatchObject({ clientCertificate: false, serverAlert: { code: 40 } });

    // The whole command: it prints all verdicts, and the worst one decides.
    const file = join(folder, 'whole.pcap.gz');
    await writeFile(file, gzipSync(pcap));
    await writeFile(
      join(folder, 'config.yaml'),
      JSON.stringify({ licenseServer: { host: HOST }, trust: { profile: 'pinned', caFiles: ['root.pem'] } }),
    );
    const run = await runHere(['capture', '--json', '-c', 'config.yaml', file], { cwd: folder });
    expect(run).toMatchObject({ exitCode: 2, stderr: '' });
    const verdicts: { readonly connections: readonly Readonly<Record<string, unknown>>[] } = JSON.parse(run.stdout);
    expect(verdicts.connections.map(({ verdict, because, cause }) => [verdict, because, cause])).toEqual([
      ['genuine', null, null],
      ['genuine', null, null],
      ['genuine', null, null],
      ['unknown', 'tls-1.3', null],
      ['genuine', null, null],
      ['unknown', 'tls-1.3', 'tls-interception-suspected'],
      ['genuine', null, null],
      ['unknown', 'resumed', null],
      ['genuine', null, null],
    ]);
  });

  test('GnuTLS and Node', async () => {
    const pcap = await wire.capture(() => {
      for (const version of ['1.2', '1.3'])
        wire.sh(
          client,
          `echo | gnutls-cli --insecure --sni-hostname ${HOST} --priority NORMAL:-VERS-ALL:+VERS-TLS${version} 10.0.0.1:9443`,
        );
      wire.sh(
        client,
        `echo | gnutls-cli --x509cafile leaf.pem --sni-hostname ${HOST} --verify-hostname ${HOST} --priority NORMAL:-VERS-ALL:+VERS-TLS1.2 10.0.0.1:4443`,
      );
      wire.connect('-tls1_2', '10.0.0.1:4443');
      wire.sh(client, `${process.execPath} -e "${nodeClient('TLSv1.2')}"`);
      wire.sh(client, `${process.execPath} -e "${nodeClient('TLSv1.3')}"`);
    });
    const seen = await agrees(pcap);
    expect(seen.map(({ version }) => version)).toEqual(['1.2', '1.3', '1.2', '1.2', '1.2', '1.3']);
  });

  test('IPv6, VLAN, raw IP and cooked captures, behind CONNECT, with MTU 1280 and lost packets', async () => {
    const six = await wire.capture(() => wire.connect('-tls1_2', '[fd00::1]:443'));
    expect(await agrees(six)).toMatchObject([{ version: '1.2', chain: [{}, {}] }]);
    const plain = await wire.capture(() => wire.connect('-tls1_2'));
    const [expected] = await agrees(plain);
    for (const inserted of ['8100000a', '88a80014' + '8100000a', '886411000001']) {
      expect(await agrees(encapsulated(plain, inserted))).toEqual([expected]);
    }
    expect(await agrees(rawIp(plain))).toEqual([expected]);
    for (const tunnel of ['vxlan', 'gre', 'gre-ethernet', 'ip-in-ip'] as const)
      expect(await agrees(tunnelled(plain, tunnel))).toEqual([expected]);
    // Text contains neither the loopback header nor the type that says that labels follow.
    for (const pcap of [rawIp(plain, 0), tunnelled(plain, 'mpls')]) {
      expect(ours(await read(pcap))).toEqual([expected]);
      expect(await tsharks(pcap)).toEqual([expected]);
    }
    expect((await read(tunnelled(plain, 'esp'))).file.undecoded.get('IPsec ESP')).toBeGreaterThan(5);
    expect((await read(rawIp(plain, 9))).file.undecoded.get('link type 9')).toBeGreaterThan(5);
    for (const link of [{}, { link: 'LINUX_SLL' }] as const) {
      const cooked = await wire.capture(() => wire.connect('-tls1_2'), { name: 'any', ...link });
      expect(await agrees(cooked)).toMatchObject([{ version: '1.2', chain: [{}, {}] }]);
    }
    const proxied = await wire.capture(() => wire.connect('-tls1_2 -proxy 10.0.0.1:3128'));
    expect(ours(await read(proxied))).toMatchObject([{ version: '1.2', name: HOST, chain: [{}, {}] }]);
    expect((await read(proxied)).connections[0]?.handshake.tunnel).toBe('10.0.0.1:443');
    await isSameAsText(proxied);
    // curl asks without the login first, and again on the same connection.
    const curl = 'curl -sk --max-time 9 --tls-max 1.2 --proxy-anyauth -U fac:secret -x 10.0.0.1:3128';
    const again = await read(await wire.capture(() => wire.sh(client, `${curl} https://10.0.0.1`)));
    expect(ours(again)).toMatchObject([{ version: '1.2', chain: [{}, {}] }]);
    expect(again.connections[0]?.handshake).toMatchObject({ tunnel: '10.0.0.1:443', plain: null });

    server.sh('ip link set wire mtu 1280');
    server.sh(`nft -f - <<END
      table inet lossy {
        chain out {
          type filter hook output priority 0
          tcp sport 443 numgen inc mod 4 == 2 drop
        }
      }
END`);
    const lossy = await wire
      .capture(() => wire.connect('-tls1_2'))
      .finally(() => {
        server.sh('nft delete table inet lossy; ip link set wire mtu 1500');
      });
    expect(await agrees(lossy)).toMatchObject([{ version: '1.2', chain: [{}, {}] }]);
  });

  test('out of order, twice, overlapping, cut, from one side, begun late: the same or the reason', async () => {
    const pcap = await wire.capture(() => wire.connect('-tls1_2'));
    const { header, packets } = packetsOf(pcap);
    const [whole] = ours(await read(pcap));
    const data = packets.findIndex(({ bytes }) => bytes.length > 1_000);
    const swapped = [
      ...packets.slice(0, data),
      ...packets.slice(data, data + 2).toReversed(),
      ...packets.slice(data + 2),
    ];
    expect(ours(await read(pcapOf(header, swapped)))).toEqual([whole]);
    const twice = packets.flatMap((packet) => [packet, packet]);
    expect(ours(await read(pcapOf(header, twice)))).toEqual([whole]);
    // The same ports are used again although the end of the first connection was not captured.
    const again = packets.map(({ record, bytes }) => {
      const moved = Buffer.from(bytes);
      const at = bytes.subarray(26, 30).join('.') === '10.0.0.2' ? 38 : 42;
      moved.writeUInt32BE((bytes.readUInt32BE(at) + 1_000) % 2 ** 32, at);
      return { record, bytes: moved };
    });
    expect(ours(await read(pcapOf(header, [...packets.slice(0, 8), ...again])))).toEqual([whole, whole]);
    const lost = await read(pcapOf(header, packets.toSpliced(data, 1)));
    expect(lost.connections[0]).toMatchObject({
      missing: ['gap', expect.any(String)],
      handshake: { certificates: null },
    });
    const oneSided = packets.filter(({ bytes }) => bytes.subarray(26, 30).join('.') === '10.0.0.2');
    expect((await read(pcapOf(header, oneSided))).connections[0]).toMatchObject({
      missing: ['one-direction', expect.any(String)],
    });
    expect((await read(pcapOf(header, packets.slice(data + 4)))).connections[0]).toMatchObject({
      missing: ['mid-stream', expect.any(String)],
    });
    const short = packets.map(({ record, bytes }) => {
      const cut = bytes.subarray(0, 96);
      const newRecord = Buffer.from(record);
      newRecord.writeUInt32LE(cut.length, 8);
      return { record: newRecord, bytes: cut };
    });
    expect((await read(pcapOf(header, short))).connections[0]).toMatchObject({
      missing: ['truncated', expect.any(String)],
    });
  });

  test('the answer of a resolver over TCP, in several segments', async () => {
    const resolver = '10.0.0.53';
    const addresses = Array.from({ length: 100 }, (_, index) => `10.0.1.${String(index)}`);
    await using _ = await startUnbound(server, { address: resolver, names: { [HOST]: addresses } });
    client.sh(`ip route add ${resolver}/32 dev wire advmss 500`);
    // Otherwise the kernel passes all segments to the other side as one packet.
    server.sh('ip link set wire gso_max_segs 1');
    const ask = `const r=new(require('dns').Resolver)();r.setServers(['${resolver}']);r.resolve4('${HOST}',()=>{})`;
    // The answer does not fit into UDP, so that the resolver's client asks again over TCP.
    const resolve = (): unknown => wire.sh(client, `${process.execPath} -e "${ask}"`);
    const pcap = await wire.capture(resolve, { filter: 'port 53' }).finally(() => {
      server.sh('ip link set wire gso_max_segs 65535');
    });
    const file = join(folder, 'dns.pcap');
    await writeFile(file, pcap);
    const answer = ['-r', file, '-n', '-Y', 'tcp and dns.flags.response == 1', '-T', 'fields', '-e', 'dns.a'];
    const { stdout } = spawnSync('tshark', answer, { encoding: 'utf8' });
    const answers = stdout.trim().split(',').slice(0, 64);
    expect(answers).toHaveLength(64);
    const sent = ['-r', file, '-n', '-Y', 'tcp.srcport == 53 and tcp.len > 2', '-T', 'fields', '-e', 'tcp.len'];
    const segments = spawnSync('tshark', sent, { encoding: 'utf8' }).stdout.trim().split('\n');
    expect(segments.length).toBeGreaterThan(2);
    expect((await read(pcap)).file.dns).toEqual([{ name: HOST, answers, resolver }]);
    await isSameAsText(pcap);
  });

  test('FortiGate text names the interfaces, with and without a direction', async () => {
    const pcap = await wire.capture(() => wire.connect('-tls1_2'));
    const [whole] = ours(await read(pcap));
    const isFromClient = (packet: Buffer): boolean => packet.subarray(26, 30).join('.') === '10.0.0.2';
    for (const name of ['wan1', 'internal.100', 'vd-guest0', 'npu0_vlink0', 'ssl.root', '802.1q_up'])
      for (const level of [5, 6] as const)
        for (const module of ['FIM01', 'FPC-2', undefined]) {
          const log = { level, ...(module === undefined ? {} : { module }) };
          const directed = (packet: Buffer): string => `${name} ${isFromClient(packet) ? 'in' : 'out'}`;
          const seen = await read(fortigateText(pcap, { ...log, place: directed }));
          expect(seen.connections).toMatchObject([{ leg: name, side: 'in' }]);
          expect(ours(seen)).toEqual([whole]);
          const silent = await read(fortigateText(pcap, { ...log, place: () => `${name} --` }));
          expect(silent.connections).toMatchObject([{ leg: name, side: null }]);
          expect(ours(silent)).toEqual([whole]);
        }

    // With "any", each packet is printed twice: where it came in, and where it went out.
    const { header, packets } = packetsOf(pcap);
    const place = (packet: Buffer, index: number): string =>
      isFromClient(packet)
        ? (['lan.10 in', 'wan1 out'][index % 2] ?? '')
        : (['wan1 in', 'lan.10 out'][index % 2] ?? '');
    const twice = pcapOf(
      header,
      packets.flatMap((packet) => [packet, packet]),
    );
    await writeFile(join(folder, 'any.txt'), fortigateText(twice, { level: 6, place }));
    const trust = { profile: 'pinned', caFiles: ['root.pem'] };
    await writeFile(join(folder, 'any.yaml'), JSON.stringify({ licenseServer: { host: HOST }, trust }));
    const run = await runHere(['capture', '--json', '-c', 'any.yaml', 'any.txt'], { cwd: folder });
    const { connections, notes, interceptor }: CaptureJson = JSON.parse(run.stdout);
    const legs = connections.toSorted((one, other) => String(one.leg).localeCompare(String(other.leg)));
    expect(legs).toMatchObject([
      { leg: 'lan.10', verdict: 'genuine' },
      { leg: 'wan1', verdict: 'genuine' },
    ]);
    expect(notes.join('\n')).toMatch(/the same client random on (?:lan\.10 and wan1|wan1 and lan\.10)\./u);
    expect({ interceptor, exitCode: run.exitCode }).toEqual({ interceptor: null, exitCode: 0 });
  });

  test('each format gives the same', async () => {
    const pcap = await wire.capture(() => {
      wire.connect('-tls1_2');
      wire.connect('-tls1_3 -CAfile leaf.pem -verify_return_error');
    });
    const file = join(folder, 'same.pcap');
    await writeFile(file, pcap);
    const said = await read(pcap);
    const expected = comparable(said);
    expect(ours(said).map(({ chain }) => chain.length)).toEqual([2, 0]);

    const pcapng = join(folder, 'same.pcapng');
    spawnSync('editcap', ['-F', 'pcapng', file, pcapng]);
    for (const bytes of [
      rewritten(pcap, 'big-endian'),
      rewritten(pcap, 'nanoseconds'),
      gzipSync(pcap),
      readFileSync(pcapng),
    ])
      expect(comparable(await read(bytes))).toEqual(expected);

    const logs: readonly FortigateLog[] = [
      ...([2, 3, 5, 6] as const).map((level) => ({ level })),
      { level: 6, clock: 'l', isPutty: true, lineEnd: '\r\n' },
      { level: 3, module: 'FIM01', gap: '    ' },
    ];
    for (const log of logs) expect(comparable(await read(fortigateText(pcap, log)))).toEqual(expected);
    const relative = await read(fortigateText(pcap, { level: 5, clock: 'relative' }));
    expect(relative.file).toMatchObject({ isRelative: true, device: 'FGT-HQ' });
    expect(ours(relative)).toEqual(ours(said));
    for (const options of ['-x', '-X', '-xx', '-XX', '-v -X', '-e -XX']) {
      const { stdout } = wire.sh(client, `tcpdump -r ${file} -n -tttt ${options}`);
      const text = await read(stdout);
      expect(text.file.format).toBe('tcpdump');
      expect(comparable(text)).toEqual(expected);
    }
    for (const options of ['-X', '-XX'])
      expect(ours(await read(wire.sh(client, `tcpdump -r ${file} -n ${options}`).stdout))).toEqual(ours(said));
  });

  test('a level without packets names the one to use', async () => {
    const text =
      "FGT # diagnose sniffer packet any '' 4\n2026-11-28 13:00:00.000001 port1 in 10.0.0.2.1 -> 10.0.0.1.443: syn 1\n";
    expect((await read(text)).file.problem).toContain('Capture again with level 6');
  });

  // These are last, because s_server serves one client at a time and waits for a hello that was reset.
  test.each([
    {
      name: 'large packets are lost behind the place of the capture',
      port: 443,
      isBehind: true,
      rule: 'tcp sport 443 meta length > 1000 drop',
      seen: { end: 'closed-by-client', verdict: 'genuine', cause: 'tls-blocked' },
      evidence: 'MTU',
    },
    {
      name: 'the hello is reset',
      port: 443,
      isBehind: false,
      rule: 'tcp dport 443 meta length > 200 reject with tcp reset',
      seen: { end: 'reset-by-server', verdict: 'blocked', cause: 'tls-blocked' },
      evidence: "The reset has TTL 250, and the server's other packets have 64.",
    },
    {
      name: 'nobody listens',
      port: 4444,
      isBehind: false,
      rule: 'tcp dport 4445 drop',
      seen: { end: 'refused', verdict: 'unknown', cause: 'egress-blocked' },
      evidence: '(RST)',
    },
    {
      name: 'SYNs are dropped',
      port: 4444,
      isBehind: false,
      rule: 'tcp dport 4444 drop',
      seen: { end: 'no-answer', verdict: 'unknown', cause: 'egress-blocked' },
      evidence: 'SYNs in',
    },
  ])('no certificate: $name', async ({ port, isBehind, rule, seen, evidence }) => {
    const place = isBehind ? client : server;
    place.sh(`nft -f - <<END
      table inet blocking {
        chain some {
          type filter hook input priority 0
          ${rule}
        }
        # As if another device sent the resets.
        chain resets {
          type filter hook output priority 0
          tcp flags rst ip ttl set 250
        }
      }
END`);
    const pcap = await wire
      .capture(() => {
        // A reply to a client: the capture contains both directions.
        wire.connect('-tls1_2', '10.0.0.1:9443');
        wire.sh(
          client,
          `timeout 4 openssl s_client -connect 10.0.0.1:${String(port)} -servername ${HOST} -tls1_2 </dev/null`,
        );
      })
      .finally(() => {
        place.sh('nft delete table inet blocking');
      });
    await writeFile(join(folder, 'blocked.pcap'), pcap);
    const licenseServer = { host: HOST, port, expectedAddresses: ['10.0.0.1'] };
    const config = { licenseServer, trust: { profile: 'pinned', caFiles: ['root.pem'] } };
    await writeFile(join(folder, 'blocked.yaml'), JSON.stringify(config));
    const run = await runHere(['capture', '--json', '-c', 'blocked.yaml', 'blocked.pcap'], { cwd: folder });
    const { connections }: { readonly connections: readonly Readonly<Record<string, unknown>>[] } = JSON.parse(
      run.stdout,
    );
    const meant = connections.filter((connection) => connection['server'] === `10.0.0.1:${String(port)}`);
    expect(meant).toMatchObject([seen]);
    expect([meant[0]?.['summary'], meant[0]?.['evidence']].flat().join('\n')).toContain(evidence);
    expect(run.exitCode).toBe(2);
    await isSameAsText(pcap, { ...TARGET, port });
  });
});

const VERSIONS: Readonly<Record<string, string>> = {
  '0x0301': '1.0',
  '0x0302': '1.1',
  '0x0303': '1.2',
  '0x0304': '1.3',
};

/** Leaves out what a format cannot express: the interface and, if the link header contains it, the direction. */
function comparable({ connections, file: { packets, unread, dns } }: ReadCapture): object {
  return {
    packets,
    unread,
    dns,
    connections: connections.map((connection) => ({
      ...Object.fromEntries(Object.entries(connection)),
      end: connection.end,
      missing: connection.missing,
      unarrived: connection.unarrived,
      leg: null,
      side: null,
      // Text is read to the millisecond.
      startedAt: Math.floor(connection.startedAt),
      endedAt: Math.floor(connection.endedAt),
    })),
  };
}

const NODE_SERVER =
  "const fs=require('fs');require('tls').createServer({key:fs.readFileSync('key.pem'),cert:fs.readFileSync('chain.pem')," +
  "minVersion:'TLSv1.2'},(socket)=>{socket.on('error',()=>{});socket.end('hello')}).on('tlsClientError',()=>{}).listen(9443)";

const NODE_PROXY =
  "require('http').createServer().on('connect',(request,socket,head)=>{const [host,port]=request.url.split(':');" +
  "const open=()=>{const far=require('net').connect(port,host,()=>{socket.write('HTTP/1.1 200 OK\\r\\n\\r\\n');" +
  "far.write(head);far.pipe(socket).pipe(far)});far.on('error',()=>socket.destroy());" +
  "socket.on('error',()=>far.destroy())};if(!request.headers['user-agent'])return open();" +
  "socket.write('HTTP/1.1 407 No\\r\\nProxy-Authenticate: Basic\\r\\nContent-Length: 3\\r\\n\\r\\nNo.');" +
  "socket.once('data',open)}).listen(3128)";

function nodeClient(version: string): string {
  return (
    `const s=require('tls').connect({host:'10.0.0.1',port:443,servername:'${HOST}',minVersion:'${version}',maxVersion:'${version}',` +
    "rejectUnauthorized:false},()=>s.end());s.on('error',()=>{})"
  );
}
