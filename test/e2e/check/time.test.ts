import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { CheckResult } from '../../support/process/check-result.ts';
import { conclusionOf, notReady, preconditionOf, readCheck, READY } from '../../support/process/check-result.ts';
import { createCheckBench, MAIL_HOST, type Section } from '../../support/process/check-bench.ts';
import { createScriptedSmtp } from '../../support/mail/smtp-script.ts';
import { createBlackHole } from '../../support/network/tcp-black-hole.ts';
import { createTcpPeer, createTlsPeer } from '../../support/network/tls-peer.ts';

/** `check` takes at most 10 s, plus the startup time of the program on this machine. */
const WITHIN = 12_000;

const bench = await createCheckBench();
const licenseServer = await bench.licenseServer();
afterAll(async () => {
  await licenseServer[Symbol.asyncDispose]();
  await bench[Symbol.asyncDispose]();
});

type Timed = CheckResult & { readonly waitingFor?: readonly string[] };

async function timed(port: number, more: Section): Promise<Timed> {
  const { durationMs: own } = await bench.check(licenseServer.port);
  const result: Timed = await bench.check(port, more);
  expect(result.durationMs - own).toBeLessThan(WITHIN);
  return result;
}

function mailAt(port: number, security: string): Section {
  return { mail: [{ host: MAIL_HOST, port, security, from: 'fac@example.test', to: 'probe@example.test' }] };
}

// These tests wait for deadlines, so they run concurrently.
describe.concurrent('check ends within 10 s, with what is known by then', () => {
  test.each(['starttls', 'none'])('at a port that speaks TLS from the start, security %s', async (security) => {
    await using server = await createTlsPeer({ chain: [bench.hierarchy.leaf], serve: () => undefined });
    const result = await timed(licenseServer.port, mailAt(server.port, security));
    expect(conclusionOf(result)).toEqual(notReady('mail-unreachable'));
    expect(result.causes[0]?.remedy[0]).toContain('mail[].security');
    expect(result.waitingFor).toBeUndefined();
  });

  test('at a licence server that accepts the connection and says nothing', async () => {
    await using silent = await createTcpPeer(() => undefined);
    const result = await timed(silent.port, {});
    expect(conclusionOf(result)).toEqual(notReady('tls-blocked', 'license-server'));
    // What a second check would have shown.
    expect(result.waitingFor ?? [`license.example.test:${String(silent.port)}`]).toEqual([
      `license.example.test:${String(silent.port)}`,
    ]);
  });

  test('with both', async () => {
    await using silent = await createTcpPeer(() => undefined);
    await using server = await createScriptedSmtp({ greeting: null });
    const result = await timed(silent.port, mailAt(server.port, 'none'));
    expect(result.causes.map(({ id }) => id)).toEqual(['tls-blocked', 'mail-unreachable']);
    expect(result.ready).toBe('not-ready');
  });

  test('at a FortiAuthenticator whose API says nothing', async () => {
    await using silent = await createTcpPeer(() => undefined);
    await writeFile(join(bench.folder, 'key'), 'key', { mode: 0o600 });
    const api = { url: `https://127.0.0.1:${String(silent.port)}`, user: 'monitor', keyFile: 'key', pin: PIN };
    const result = await timed(licenseServer.port, { appliances: [{ name: 'fac-1', api }] });
    expect(result.causes.map(({ id, severity }) => `${severity} ${id}`)).toEqual(['critical appliance-unreachable']);
    expect(result.waitingFor).toBeUndefined();
  });

  test('or earlier, and says what it still waited for', async () => {
    await using silent = await createScriptedSmtp({ greeting: null });
    const file = await bench.configure(licenseServer.port, mailAt(silent.port, 'none'));
    const json: Timed = readCheck(await bench.run(['check', '--json', '-t', '3', '-c', file]));
    expect(conclusionOf(json)).toEqual({ ...READY, exitCode: 3, ready: 'unknown', states: { mail: 'unknown' } });
    expect(json.waitingFor).toEqual([`${MAIL_HOST}:${String(silent.port)}`]);
    const { stdout } = await bench.run(['check', '-t', '3', '-c', file]);
    expect(stdout.replaceAll(/\s+/gu, ' ')).toContain(
      `Stopped after 3 s while waiting for ${MAIL_HOST}:${String(silent.port)}. Use --timeout to wait longer.`,
    );
  });

  test.each([
    ['4', 'unknown', /before this was confirmed/u],
    ['10', 'not-ready', /: no answer/u],
  ] as const)('and silence that was seen once, within %s s, is %s', async (seconds, ready, claim) => {
    await using hole = await createBlackHole();
    const file = await bench.configure(hole.port);
    const result: Timed = readCheck(await bench.run(['check', '--json', '-t', seconds, '-c', file]));
    expect(result.ready).toBe(ready);
    const { findings } = preconditionOf(result, 'reachability');
    expect(findings.map((finding) => finding.claim).join()).toMatch(claim);
  });

  test('at one where everything works, in far less, and waits for nothing', async () => {
    await using server = await createScriptedSmtp();
    const result = await timed(licenseServer.port, mailAt(server.port, 'none'));
    expect(conclusionOf(result)).toEqual(READY);
    expect(result.waitingFor).toBeUndefined();
  });
});

const PIN = `sha256/${Buffer.alloc(32).toString('base64')}`;
