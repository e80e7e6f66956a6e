import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import type { ConnectorContext } from '../../../src/connectors/context.ts';
import { observeAppliance } from '../../../src/connectors/fortiauthenticator/observe-appliance.ts';
import type { ApplianceApiConfig } from '../../../src/config/config.ts';
import type { ApplianceFacts, ApplianceObservation } from '../../../src/core/license/appliance.ts';
import { createFortiAuthenticator } from '../../lab/fortiauthenticator.ts';
import type { FortiAuthenticator, FortiAuthenticatorState } from '../../lab/fortiauthenticator.ts';
import type { HttpFault } from '../../lab/https-peer.ts';
import { createHierarchy, createIdentity } from '../../support/authority.ts';
import type { Identity } from '../../support/authority.ts';
import { connectorContext, hurriedClock } from '../../support/connector-context.ts';

const ENV = { FAC_KEY: 'web-service-key', WRONG_KEY: 'login-password' };

let folder: string;
let identity: Identity;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fac-'));
  // As appliances ship: signed by itself, naming neither host nor address.
  identity = await createIdentity({ name: 'C=US, O=Fortinet, OU=FortiAuthenticator, CN=Default-Server-Certificate' });
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

function api(fac: FortiAuthenticator, more: Partial<ApplianceApiConfig> = {}): ApplianceApiConfig {
  return { url: fac.url, user: 'monitor', key: { kind: 'env', name: 'FAC_KEY' }, caFile: null, pin: fac.identity.pin, ...more };
}

function observe(config: ApplianceApiConfig, context: Partial<ConnectorContext> = {}): Promise<ApplianceObservation> {
  return observeAppliance({ name: 'fac-1', api: config }, connectorContext({ env: ENV, ...context }));
}

async function factsOf(fac: FortiAuthenticator): Promise<ApplianceFacts> {
  const observation = await observe(api(fac));
  if (observation.kind !== 'ok') throw new Error(`Expected facts, got ${JSON.stringify(observation)}`);
  return observation;
}

async function savedPem(...identities: readonly Identity[]): Promise<string> {
  const path = join(folder, `${crypto.randomUUID()}.pem`);
  await writeFile(path, identities.map(({ pem }) => pem).join(''));
  return path;
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect === 'function') collect();
}

function start(state: Partial<FortiAuthenticatorState> = {}): Promise<FortiAuthenticator> {
  return createFortiAuthenticator({ identity, state });
}

describe('observeAppliance', () => {
  it('reads serials, licence, tokens, the provisioning server and the mail servers', async () => {
    await using fac = await start({ peerSerial: 'FAC-VM0000000002' });
    expect(await observe(api(fac))).toEqual({
      kind: 'ok',
      appliance: 'fac-1',
      endpoint: new URL(fac.url).host,
      system: {
        serial: 'FAC-VM0000000001',
        peerSerial: 'FAC-VM0000000002',
        firmware: 'FACVMKVM v8.0.3, build0099 (GA)',
        tokensPopulated: 32,
        load: { cpu: 0, memory: 0.64, disk: 0 },
      },
      licensed: { kind: 'read', value: { total: 32, used: 2, available: 30 } },
      tokens: {
        kind: 'read',
        value: {
          total: 32,
          byStatus: { new: 0, available: 30, pending: 0, assigned: 2, other: 0 },
          locked: 0,
          byLicense: [
            { license: 'EFTM000000000001', tokens: 30 },
            { license: 'FTMTRIAL00000001', tokens: 2 },
          ],
          withoutLicense: 0,
        },
      },
      provisioning: { kind: 'read', value: { host: 'fortitokenmobile.fortinet.com', port: 443 } },
      mailServers: {
        kind: 'read',
        value: [
          {
            host: 'mail.example.test',
            port: 587,
            security: 'starttls',
            from: 'fac@example.test',
            to: null,
            user: null,
            password: null,
            caFile: null,
          },
        ],
      },
    });
  });

  it('sends nothing but GET, to the five resources', async () => {
    await using fac = await start({ maxPage: 10 });
    await observe(api(fac));
    expect(new Set(fac.requests.map(({ method }) => method))).toEqual(new Set(['GET']));
    expect(new Set(fac.requests.map(({ body }) => body))).toEqual(new Set(['']));
    expect([...new Set(fac.requests.map(({ path }) => new URL(path, fac.url).pathname))].toSorted()).toEqual([
      '/api/v1/fortitokenmobilelicenses/',
      '/api/v1/fortitokenmobileprovisioning/',
      '/api/v1/fortitokens/',
      '/api/v1/smtpservers/',
      '/api/v1/systeminfo/',
    ]);
  });

  it('keeps neither passwords nor the key', async () => {
    await using fac = await start();
    const text = JSON.stringify(await observe(api(fac)));
    expect(text).toContain('mail.example.test');
    expect(text).not.toMatch(/smtp-password|web-service-key|authentication/u);
  });

  it('reads numbers that come as text', async () => {
    await using fac = await start({
      licensed: { available_ftm: '30', total_ftm: '32', used_ftm: '2' },
      provisioning: { server_address: 'fortitokenmobile.fortinet.com', server_port: '433' },
    });
    const facts = await factsOf(fac);
    expect(facts.licensed).toEqual({ kind: 'read', value: { total: 32, used: 2, available: 30 } });
    expect(facts.provisioning).toEqual({ kind: 'read', value: { host: 'fortitokenmobile.fortinet.com', port: 433 } });
  });
});

describe('the tokens', () => {
  it('are counted over all pages, though the appliance gives fewer at once than asked for', async () => {
    await using fac = await start({ tokens: [{ count: 95, status: 'available', license: null }], maxPage: 20 });
    const facts = await factsOf(fac);
    expect(facts.tokens).toMatchObject({ kind: 'read', value: { total: 95, withoutLicense: 95 } });
    expect(fac.requests.filter(({ path }) => path.includes('/fortitokens/'))).toHaveLength(5);
  });

  it('are counted, 5,000 of them, in less than 2 s', async () => {
    await using fac = await start({
      tokens: [
        { count: 4000, status: 'assigned', license: 'EFTM000000000001' },
        { count: 1000, status: 'available', license: 'EFTM000000000002' },
      ],
      maxPage: 20,
    });
    const startedAt = systemClock.elapsed();
    const facts = await factsOf(fac);
    expect(facts.tokens).toMatchObject({ kind: 'read', value: { total: 5000, byStatus: { assigned: 4000, available: 1000 } } });
    expect(systemClock.elapsed() - startedAt).toBeLessThan(2000);
  });

  it('are counted in memory that does not grow with their number', async () => {
    await using fac = await start();
    const tokens = [{ count: 40_000, status: 'assigned', license: 'EFTM000000000001' }];
    const used: number[] = [];
    // The simulator looks at the tokens once a page.
    Object.defineProperty(fac.state, 'tokens', {
      get: () => {
        collectGarbage();
        used.push(process.memoryUsage().heapUsed);
        return tokens;
      },
    });
    expect((await factsOf(fac)).tokens).toMatchObject({ kind: 'read', value: { total: 40_000 } });
    const [early, late] = [used.slice(5, 15), used.slice(-10)].map((samples) => Math.min(...samples));
    // 25,000 parsed tokens would take more than 5 MiB.
    expect((late ?? Number.NaN) - (early ?? Number.NaN)).toBeLessThan(1024 * 1024);
  });

  it.each([
    ['another host', 'https://evil.test/api/v1/fortitokens/?offset=20'],
    ['another host without a scheme', '//evil.test/api/v1/fortitokens/?offset=20'],
    ['another host with backslashes', '/\\evil.test/api/v1/fortitokens/?offset=20'],
    ['another resource', '/api/v1/localusers/?offset=20'],
    ['a way up', '/api/v1/fortitokens/../localusers/'],
    ['no path', 'fortitokens/?offset=20'],
  ])('are not followed to %s', async (_, next) => {
    await using fac = await start({ maxPage: 10, next });
    const facts = await factsOf(fac);
    expect(facts.tokens).toMatchObject({ kind: 'failed', reason: 'protocol' });
    expect(fac.requests.filter(({ path }) => path.includes('offset') || path.includes('localusers'))).toEqual([]);
  });

  it('end after a bounded number of pages when the pages have no end', async () => {
    await using fac = await start({
      maxPage: 1,
      tokens: [{ count: 2, status: 'new', license: null }],
      next: '/api/v1/fortitokens/?offset=0',
    });
    const facts = await factsOf(fac);
    expect(facts.tokens).toMatchObject({ kind: 'failed', reason: 'protocol', message: 'Cannot count the tokens: more than 1000 pages' });
  });
});

describe('the certificate', () => {
  it('is accepted by its pin', async () => {
    await using fac = await start();
    expect(await observe(api(fac))).toMatchObject({ kind: 'ok' });
  });

  it('is accepted when it is the very certificate in caFile, whatever it names', async () => {
    await using fac = await start();
    expect(await observe(api(fac, { pin: null, caFile: await savedPem(fac.identity) }))).toMatchObject({ kind: 'ok' });
  });

  it('is accepted under an authority in caFile when it names the address', async () => {
    const { root, leaf } = await createHierarchy({ ipAddresses: ['127.0.0.1'] });
    await using fac = await createFortiAuthenticator({ identity: leaf });
    expect(await observe(api(fac, { pin: null, caFile: await savedPem(root) }))).toMatchObject({ kind: 'ok' });
  });

  it.each<[string, (fac: FortiAuthenticator, other: Identity) => Promise<Partial<ApplianceApiConfig>>]>([
    ['has another key than the pin', async (_, other) => Promise.resolve({ pin: other.pin })],
    ['is under no known authority', async () => Promise.resolve({ pin: null })],
    ['is another than the one in caFile', async (_, other) => ({ pin: null, caFile: await savedPem(other) })],
    ['has the pin, but is not under caFile', async (fac, other) => ({ pin: fac.identity.pin, caFile: await savedPem(other) })],
    ['is the one in caFile, but has not the pin', async (fac, other) => ({ pin: other.pin, caFile: await savedPem(fac.identity) })],
  ])('that %s gets no request at all', async (_, trust) => {
    const other = await createIdentity({ name: 'CN=other' });
    await using fac = await start();
    expect(await observe(api(fac, await trust(fac, other)))).toMatchObject({ kind: 'failed', reason: 'tls' });
    expect(fac.requests).toEqual([]);
  });

  it('under an authority in caFile must name the address', async () => {
    const { root, leaf } = await createHierarchy();
    await using fac = await createFortiAuthenticator({ identity: leaf });
    expect(await observe(api(fac, { pin: null, caFile: await savedPem(root) }))).toMatchObject({ kind: 'failed', reason: 'tls' });
    expect(fac.requests).toEqual([]);
  });
});

describe('a failing appliance', () => {
  let fac: FortiAuthenticator;

  beforeEach(async () => {
    fac = await start();
    return () => fac.close();
  });

  it.each<[string, HttpFault, Partial<ApplianceObservation>]>([
    ['401', { kind: 'status', status: 401 }, { kind: 'denied', status: 401 }],
    ['403', { kind: 'status', status: 403 }, { kind: 'denied', status: 403 }],
    ['404', { kind: 'status', status: 404 }, { kind: 'failed', reason: 'rejected' }],
    ['429', { kind: 'status', status: 429 }, { kind: 'failed', reason: 'rejected' }],
    ['500', { kind: 'status', status: 500 }, { kind: 'failed', reason: 'rejected' }],
    ['a redirect', { kind: 'status', status: 302, headers: { location: 'https://evil.test/' } }, { kind: 'failed', reason: 'rejected' }],
    ['HTML', { kind: 'html' }, { kind: 'failed', reason: 'protocol' }],
    ['JSON of something else', { kind: 'body', body: '{"ok": true}' }, { kind: 'failed', reason: 'protocol' }],
    ['a truncated body', { kind: 'truncated' }, { kind: 'failed', reason: 'closed' }],
    ['a reset', { kind: 'reset' }, { kind: 'failed', reason: 'reset' }],
    ['a body without end', { kind: 'endless' }, { kind: 'failed', reason: 'protocol' }],
  ])('answers with %s', async (_, fault, expected) => {
    fac.setFault(fault);
    expect(await observe(api(fac))).toMatchObject({ appliance: 'fac-1', ...expected });
  });

  it.each<[string, HttpFault]>([
    ['is silent', { kind: 'silent' }],
    ['trickles', { kind: 'trickle' }],
  ])('%s until the time is up', async (_, fault) => {
    fac.setFault(fault);
    const observation = await observe(api(fac), { clock: hurriedClock(40) });
    expect(observation).toMatchObject({ kind: 'failed', reason: 'timeout', message: 'No result within 10000 ms' });
  });

  it('refuses a wrong key', async () => {
    expect(await observe(api(fac, { key: { kind: 'env', name: 'WRONG_KEY' } }))).toMatchObject({ kind: 'denied', status: 401 });
  });

  it('is gone', async () => {
    const config = api(fac);
    await fac.close();
    expect(await observe(config)).toMatchObject({ kind: 'failed', reason: 'refused' });
  });

  it('is not blamed when the round is called off', async () => {
    fac.setFault({ kind: 'silent' });
    const controller = new AbortController();
    const observation = observe(api(fac), { signal: controller.signal });
    await expect.poll(() => fac.requests.length).toBe(1);
    controller.abort(new Error('Shutting down'));
    expect(await observation).toMatchObject({ kind: 'failed', reason: 'aborted' });
  });

  it.each<[string, Partial<ApplianceApiConfig>, RegExp]>([
    ['a key that is not there', { key: { kind: 'env', name: 'NO_SUCH' } }, /"NO_SUCH" is not set/u],
    ['a missing caFile', { caFile: '/nonexistent/fac.pem' }, /nonexistent/u],
    ['a URL without TLS', { url: 'http://127.0.0.1:1' }, /expected a URL that begins with "https:\/\/"/u],
  ])('is not blamed for %s', async (_, more, message) => {
    expect(await observe(api(fac, more))).toMatchObject({
      kind: 'failed',
      reason: 'internal',
      message: expect.stringMatching(message) as unknown,
    });
  });
});

describe('one failing resource', () => {
  it.each<[string, HttpFault, unknown]>([
    ['an older firmware does not have', { kind: 'status', status: 404 }, { kind: 'absent' }],
    ['may not be read', { kind: 'status', status: 403 }, { kind: 'denied', message: 'HTTP 403: the account may not read "smtpservers"' }],
    ['fails', { kind: 'status', status: 500 }, { kind: 'failed', reason: 'rejected' }],
    ['is no JSON', { kind: 'html' }, { kind: 'failed', reason: 'protocol' }],
    ['is truncated', { kind: 'truncated' }, { kind: 'failed', reason: 'closed' }],
  ])('that %s leaves the others', async (_, fault, expected) => {
    await using fac = await start();
    fac.setFault(fault, 'smtpservers');
    const facts = await factsOf(fac);
    expect(facts.mailServers).toMatchObject(expected as object);
    expect([facts.licensed.kind, facts.tokens.kind, facts.provisioning.kind]).toEqual(['read', 'read', 'read']);
  });
});
