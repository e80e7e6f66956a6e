import { beforeEach, describe, expect, it } from 'vitest';
import type { ApplianceApiConfig } from '../../../src/config/schema/watched.ts';
import { createFortiAuthenticator, type FortiAuthenticator } from '../../../src/demo/lab/fortiauthenticator.ts';
import type { HttpFault } from '../../../src/demo/lab/https-peer.ts';
import { apiOf, factsOf, observeApi } from '../../support/connectors/appliance-bench.ts';

describe('observeAppliance', () => {
  it('reads serials, licence, tokens, the provisioning server and the mail servers', async () => {
    await using fac = await createFortiAuthenticator({ state: { peerSerial: 'FAC-VM0000000002' } });
    expect(await observeApi(apiOf(fac))).toEqual({
      kind: 'ok',
      appliance: 'fac-1',
      endpoint: new URL(fac.url).host,
      system: {
        serial: 'FAC-VM0000000001',
        peerSerial: 'FAC-VM0000000002',
        firmware: 'FACVMKVM v8.0.3, build0099 (GA)',
        tokensPopulated: 32,
        memoryKb: 4_032_452,
        load: { cpu: 0, memory: 0.64, disk: 0 },
      },
      licensed: { kind: 'read', value: { total: 32, used: 2, available: 30 } },
      tokens: {
        kind: 'read',
        value: {
          total: 32,
          byStatus: { new: 0, available: 30, pending: 0, assigned: 2, other: 0 },
          byLicense: [
            { license: 'EFTM000000000001', tokens: 30 },
            { license: 'FTMTRIAL00000001', tokens: 2 },
          ],
          locked: { new: 0, available: 0, pending: 0, assigned: 0, other: 0 },
          withoutLicense: 0,
        },
      },
      provisioning: {
        kind: 'read',
        value: { host: 'fortitokenmobile.fortinet.com', port: 443, codeLife: 24 * 3_600_000 },
      },
      sms: { kind: 'read', value: { total: 100, available: 90 } },
      clock: expect.objectContaining({ answers: 6 }),
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
            applianceCaFile: null,
            caFile: null,
            hasLogin: true,
          },
        ],
      },
    });
  });

  it.each([0, 25_000, -90_000])('reads its clock, %d ms off, by several answers', async (clockOffset) => {
    await using fac = await createFortiAuthenticator({ state: { clockOffset } });
    const { clock } = await factsOf(fac);
    expect(clock?.answers).toBe(6);
    expect(clock?.precisionMs).toBeLessThan(5000);
    expect(Math.abs((clock?.offsetMs ?? Number.NaN) - clockOffset)).toBeLessThanOrEqual((clock?.precisionMs ?? 0) + 50);
  });

  it('reads no clock out of answers that contradict each other', async () => {
    await using fac = await createFortiAuthenticator();
    let offset = 0;
    Object.defineProperty(fac.state, 'clockOffset', { get: () => (offset += 60_000) });
    expect((await factsOf(fac)).clock).toBeNull();
  });

  it('sends nothing but GET, to the six resources', async () => {
    await using fac = await createFortiAuthenticator({ state: { maxPage: 10 } });
    await observeApi(apiOf(fac));
    expect(new Set(fac.requests.map(({ method }) => method))).toEqual(new Set(['GET']));
    expect(new Set(fac.requests.map(({ body }) => body))).toEqual(new Set(['']));
    expect([...new Set(fac.requests.map(({ path }) => new URL(path, fac.url).pathname))].toSorted()).toEqual([
      '/api/v1/fortiguardmessages/',
      '/api/v1/fortitokenmobilelicenses/',
      '/api/v1/fortitokenmobileprovisioning/',
      '/api/v1/fortitokens/',
      '/api/v1/smtpservers/',
      '/api/v1/systeminfo/',
    ]);
  });

  it('keeps neither passwords nor the key', async () => {
    await using fac = await createFortiAuthenticator();
    const text = JSON.stringify(await observeApi(apiOf(fac)));
    expect(text).toContain('mail.example.test');
    expect(text).not.toMatch(/smtp-password|web-service-key|authentication/u);
  });

  it('reads numbers that come as text', async () => {
    await using fac = await createFortiAuthenticator({
      state: {
        licensed: { available_ftm: '30', total_ftm: '32', used_ftm: '2' },
        provisioning: { server_address: 'fortitokenmobile.fortinet.com', server_port: '433' },
      },
    });
    const facts = await factsOf(fac);
    expect(facts.licensed).toEqual({ kind: 'read', value: { total: 32, used: 2, available: 30 } });
    expect(facts.provisioning).toEqual({
      kind: 'read',
      value: { host: 'fortitokenmobile.fortinet.com', port: 433, codeLife: null },
    });
  });

  it('reads one that lacks the provisioning, and has no mail server', async () => {
    await using fac = await createFortiAuthenticator({ state: { smtpServers: [] } });
    fac.setFault({ kind: 'status', status: 404 }, 'fortitokenmobileprovisioning');
    expect(await factsOf(fac)).toMatchObject({
      provisioning: { kind: 'absent' },
      mailServers: { kind: 'read', value: [] },
    });
  });
});

describe('a failing appliance', () => {
  let fac: FortiAuthenticator;

  beforeEach(async () => {
    fac = await createFortiAuthenticator();
    return () => fac.close();
  });

  it('refuses a wrong key', async () => {
    expect(await observeApi(apiOf(fac, { key: { kind: 'env', name: 'WRONG_KEY' } }))).toMatchObject({
      kind: 'denied',
      status: 401,
    });
  });

  it('is gone', async () => {
    const config = apiOf(fac);
    await fac.close();
    expect(await observeApi(config)).toMatchObject({ kind: 'failed', reason: 'refused' });
  });

  it('is not blamed when the round is called off', async () => {
    fac.setFault({ kind: 'silent' });
    const controller = new AbortController();
    const observation = observeApi(apiOf(fac), { signal: controller.signal });
    await expect.poll(() => fac.requests.length).toBe(1);
    controller.abort(new Error('Shutting down'));
    expect(await observation).toMatchObject({ kind: 'failed', reason: 'aborted' });
  });

  it.each<[string, Partial<ApplianceApiConfig>, RegExp]>([
    ['a key that is not there', { key: { kind: 'env', name: 'NO_SUCH' } }, /"NO_SUCH" is not set/u],
    ['a missing caFile', { caFile: '/nonexistent/fac.pem' }, /nonexistent/u],
    ['a URL without TLS', { url: 'http://127.0.0.1:1' }, /expected a URL that begins with "https:\/\/"/u],
  ])('is not blamed for %s', async (_, more, message) => {
    expect(await observeApi(apiOf(fac, more))).toMatchObject({
      kind: 'failed',
      reason: 'internal',
      message: expect.stringMatching(message) as unknown,
    });
  });
});

describe('one failing resource', () => {
  it.each<[string, HttpFault, unknown]>([
    ['an older firmware does not have', { kind: 'status', status: 404 }, { kind: 'absent' }],
    ['only accepts POST, as eleven do on 8.0.3', { kind: 'status', status: 405 }, { kind: 'absent' }],
    ['may not be read', { kind: 'status', status: 403 }, { kind: 'denied', message: 'HTTP 403 for "smtpservers"' }],
    ['fails', { kind: 'status', status: 500 }, { kind: 'failed', reason: 'rejected' }],
    ['is no JSON', { kind: 'html' }, { kind: 'failed', reason: 'protocol' }],
    ['is truncated', { kind: 'truncated' }, { kind: 'failed', reason: 'closed' }],
  ])('that %s leaves the others', async (_, fault, expected) => {
    await using fac = await createFortiAuthenticator();
    fac.setFault(fault, 'smtpservers');
    const facts = await factsOf(fac);
    expect(facts.mailServers).toMatchObject(expected as object);
    expect([facts.licensed.kind, facts.tokens.kind, facts.provisioning.kind]).toEqual(['read', 'read', 'read']);
  });
});
