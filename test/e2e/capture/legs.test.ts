import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

import type { captureToJson } from '../../../src/capture/judge-capture.ts';
import { createIdentity, type Identity } from '../../../src/demo/lab/identity.ts';
import { runHere } from '../../support/process/command-line.ts';
import {
  createInspectedSite,
  GATEWAY,
  INSPECTED_SITE_NEEDS,
  type InspectedSite,
  LICENSE_ADDRESS,
  LICENSE_HOST,
} from '../../support/network/inspected-site.ts';
import { sslsplit } from '../../support/network/interceptors.ts';
import { captured, fortigateText } from '../../support/network/packet-captures.ts';
import { describeWhere } from '../../support/process/privilege.ts';
import { INSPECTING_CONNECT_PORT } from '../../support/network/squid.ts';

type CaptureJson = ReturnType<typeof captureToJson>;

const CORPORATE = 'C=DE, O=Example Corp, CN=Example Corp Root CA';
const INSPECT_ALL = ['ssl_bump peek hello', 'ssl_bump bump all'];
/** The gateway's external address. */
const UPLINK = '198.51.100.2';
/** Addresses that packets reach through each interface. */
const PEERS = { any: '127.0.0.1', inside: '10.20.0.2', outside: '198.51.100.1' } as const;
type Place = keyof typeof PEERS;

describeWhere([...INSPECTED_SITE_NEEDS, { program: 'tcpdump' }, { program: 'sslsplit' }], 'two legs', () => {
  let site: InspectedSite;
  let corporate: Identity;
  let config = '';
  let files = 0;

  beforeAll(async () => {
    site = await createInspectedSite();
    corporate = await createIdentity({ name: CORPORATE, authority: true, key: 'RSA-2048' });
    config = await site.configure();
  }, 60_000);
  afterAll(() => site[Symbol.asyncDispose]());

  /** Connects as FortiAuthenticator does, from the site. */
  function connect(options: string): void {
    const [program = '', ...prefix] = site.prefix;
    const command =
      `echo Q | openssl s_client -servername ${LICENSE_HOST} ` +
      (options.includes('-proxy') ? options : `-connect ${LICENSE_ADDRESS}:443 ${options}`);
    spawnSync(program, [...prefix, 'sh', '-c', command], { timeout: 20_000 });
  }

  /** Captures on interfaces of the gateway while the site connects, and returns the file names. */
  async function capture(names: readonly Place[], options: string): Promise<readonly string[]> {
    const [name, ...others] = names;
    if (name === undefined) {
      connect(options);
      return [];
    }
    files += 1;
    const file = join(site.folder, `${String(files)}.pcap`);
    let more: readonly string[] = [];
    const bytes = await captured(site.gateway, { name, file, peer: PEERS[name] }, async () => {
      more = await capture(others, options);
    });
    await writeFile(file, bytes);
    return [file, ...more];
  }

  async function verdictOn(...names: readonly string[]): Promise<CaptureJson & { readonly exitCode: number | null }> {
    const run = await runHere(['capture', '--json', '-c', config, ...names], { cwd: site.folder });
    expect(run.stderr).toBe('');
    const parsed: CaptureJson = JSON.parse(run.stdout);
    return { ...parsed, exitCode: run.exitCode };
  }

  test.each(['-tls1_2', '-tls1_3'])('squid on the gateway ends TLS, %s: it is named', async (version) => {
    await using _ = await site.inspect({ authority: corporate, policy: INSPECT_ALL });
    const result = await verdictOn(...(await capture(['any'], version)));
    expect(result.exitCode).toBe(2);
    expect(result.interceptor).toMatchObject({
      address: UPLINK,
      confidence: 'confirmed',
      isAnotherFartherOut: false,
    });
    const [inner, outer] = [0, 1].map((place) => result.connections[place]);
    const inside = [inner, outer].find((connection) => connection?.client.startsWith('10.20.0.2') === true);
    expect(inside).toMatchObject({
      verdict: 'intercepted',
      because: null,
      cause: 'tls-intercepted',
      server: `${LICENSE_ADDRESS}:443`,
    });
    const outside = [inner, outer].find((connection) => connection?.client.startsWith(UPLINK) === true);
    expect(result.connections[outside?.pairedWith ?? -1]).toEqual(inside);
    const isEncrypted = version === '-tls1_3';
    expect(inside?.chain.map(({ issuer }) => issuer)).toEqual(isEncrypted ? [] : [CORPORATE, CORPORATE]);
  });

  test('squid on a FortiGate, as its terminal prints it: the FortiGate is named', async () => {
    await using _ = await site.inspect({ authority: corporate, policy: INSPECT_ALL });
    const [file = ''] = await capture(['any'], '-tls1_3');
    // Linux cooked captures contain the index of the interface, and 4 if the packet is sent.
    const place = (packet: Buffer): string => `port${String(packet[7])} ${packet[10] === 4 ? 'out' : 'in'}`;
    const text = join(site.folder, 'putty.log');
    await writeFile(text, fortigateText(await readFile(file), { level: 5, place, isPutty: true, lineEnd: '\r\n' }));
    const { interceptor, exitCode } = await verdictOn(text);
    expect(interceptor).toMatchObject({
      device: 'FGT-HQ',
      address: UPLINK,
      inside: expect.stringMatching(/^port\d$/u),
      outside: expect.stringMatching(/^port\d$/u),
      confidence: 'confirmed',
    });
    expect(exitCode).toBe(2);
    const { stdout } = await runHere(['capture', '-c', config, text], { cwd: site.folder });
    // The device is known, so no step looks for it.
    expect(stdout).toContain('by Fortinet FortiGate');
    expect(stdout).not.toMatch(/product catalogue|diagnose sniffer/u);
  });

  test('behind CONNECT to an inspecting proxy', async () => {
    await using _ = await site.inspect({ authority: corporate, policy: INSPECT_ALL });
    const proxy = `-proxy ${GATEWAY}:${String(INSPECTING_CONNECT_PORT)} -connect ${LICENSE_HOST}:443 -tls1_3`;
    const result = await verdictOn(...(await capture(['any'], proxy)));
    expect(result.interceptor).toMatchObject({ address: UPLINK, confidence: 'confirmed' });
    expect(result.exitCode).toBe(2);
  });

  test.each(['-tls1_2', '-tls1_3'])('a plain NAT accuses nobody, %s', async (version) => {
    site.gateway.sh(`nft -f - <<END
      table ip translation {
        chain out {
          type nat hook postrouting priority srcnat
          oifname outside masquerade
        }
      }
END`);
    const result = await verdictOn(...(await capture(['any'], version))).finally(() =>
      site.gateway.sh('nft delete table ip translation'),
    );
    expect(result.interceptor).toBeNull();
    expect(result.connections).toHaveLength(2);
    expect(result.connections.map(({ pairedWith }) => pairedWith)).toEqual([1, 0]);
    expect(result.connections.map(({ verdict }) => verdict)).not.toContain('intercepted');
    expect(result.notes.join('\n')).toContain('the same client random');
    expect(result.exitCode).toBe(version === '-tls1_2' ? 0 : 3);
  });

  test('plain routing accuses nobody', async () => {
    const result = await verdictOn(...(await capture(['any'], '-tls1_2')));
    expect(result).toMatchObject({ interceptor: null, exitCode: 0 });
  });

  test.each(['-tls1_2', '-tls1_3'])(
    'one file from inside and one from outside, %s: it is between them',
    async (version) => {
      await using _ = await site.inspect({ authority: corporate, policy: INSPECT_ALL });
      const [inside = '', outside = ''] = await capture(['inside', 'outside'], version);
      const result = await verdictOn(inside, outside);
      const confidence = version === '-tls1_2' ? 'confirmed' : 'suspected';
      expect(result.interceptor).toMatchObject({ device: null, inside, outside, confidence });
      expect(result.exitCode).toBe(2);
      // The device opened its own connection later, whatever the order of the files.
      expect((await verdictOn(outside, inside)).interceptor).toMatchObject({ inside, outside });
    },
  );

  test('files of different connections, or without dates, do not accuse a device between them', async () => {
    await using _ = await site.inspect({ authority: corporate, policy: INSPECT_ALL });
    const [inside = ''] = await capture(['inside'], '-tls1_3');
    const [later = '', outside = ''] = await capture(['inside', 'outside'], '-tls1_3');
    const apart = await verdictOn(inside, outside);
    expect(apart).toMatchObject({ interceptor: null, exitCode: 3 });
    expect(apart.notes.join()).toContain('overlap');
    const texts = [later, outside].map((file) => `${file}.txt`);
    for (const [index, file] of [later, outside].entries())
      await writeFile(texts[index] ?? '', fortigateText(await readFile(file), { level: 6, clock: 'relative' }));
    expect(await verdictOn(...texts)).toMatchObject({ interceptor: null, exitCode: 3 });
  });

  test('one file from inside and one from outside of plain routing: nobody', async () => {
    const [inside = '', outside = ''] = await capture(['inside', 'outside'], '-tls1_3');
    const result = await verdictOn(inside, outside);
    expect(result.interceptor).toBeNull();
    expect(result.connections.map(({ pairedWith }) => pairedWith)).toEqual([1, 0]);
  });

  test('sslsplit, seen from inside alone: its chain gives it away', async () => {
    await using _ = await site.intercept(sslsplit(corporate));
    const result = await verdictOn(...(await capture(['inside'], '-tls1_2')));
    expect(result).toMatchObject({ interceptor: null, exitCode: 2 });
    expect(result.connections).toMatchObject([{ verdict: 'interception-suspected', tls: '1.2' }]);
  });
});
