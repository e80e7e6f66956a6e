import { describe, expect, it } from 'vitest';
import {
  createRegistrationService,
  LICENSES_PATH,
  PRODUCTS_PATH,
  TOKEN_PATH,
  type RegistrationState,
} from '../../../src/demo/lab/registration.ts';
import { A, B, memoryFile, outcomes, paths, startRegistration } from '../../support/connectors/registration-bench.ts';

const SERIAL = 'FAC-VM0000000001';

describe('the registration service', () => {
  const HELD = { serialNumber: SERIAL, status: 'Registered' };
  const listed = (...records: readonly object[]) => ({
    licenses: records.map((record) => ({ licenseNumber: A, ...record })),
  });
  const unregistered = { kind: 'unregistered', status: 'Pending' };
  const unnamed = { kind: 'unnamed', status: 'Registered' };

  it.each<[string, Partial<RegistrationState>, unknown]>([
    ['registered', listed({ ...HELD, licenseSKU: 'FTM-ELIC-10' }), { kind: 'registered', serial: SERIAL, bought: 10 }],
    ['pending', listed({ serialNumber: SERIAL, status: 'Pending' }), unregistered],
    ['pending, with a serial that is null', listed({ serialNumber: null, status: 'Pending' }), unregistered],
    ['without a serial', listed({ status: 'Registered' }), unnamed],
    ['with a serial that cannot be read', listed({ serialNumber: 'see the portal', status: 'Registered' }), unnamed],
    ['without a serial and a status', listed({}), { kind: 'unnamed', status: null }],
    [
      'pending here, and held by nobody who can be read there',
      listed({ serialNumber: '', status: 'Pending' }, { status: 'Registered' }),
      unnamed,
    ],
    ['listed twice', listed({ serialNumber: '', status: 'Pending' }, HELD), { kind: 'registered', serial: SERIAL }],
    ['not listed', {}, { kind: 'not-listed' }],
    ['answered with a null list', { envelope: { licenses: null } }, { kind: 'not-listed' }],
    [
      'answered with another licence',
      { envelope: { licenses: [{ ...HELD, licenseNumber: B }] } },
      { kind: 'not-listed' },
    ],
  ])('finds a licence %s', async (_, state, expected) => {
    await using bench = await startRegistration(state);
    expect(outcomes(await bench.observe())).toEqual([expected]);
  });

  it('looks for a licence that is not listed among those of the given units', async () => {
    await using bench = await startRegistration({ products: { 'FAC-VM0000000002': [A] } });
    const serials = ['FAC-VM0000000001', 'FAC-VM0000000002'];
    expect(outcomes(await bench.observe({ licenses: [A, B], serials }))).toEqual([
      { kind: 'registered', serial: 'FAC-VM0000000002' },
      { kind: 'not-listed' },
    ]);
    expect(paths(bench.service).filter((path) => path === PRODUCTS_PATH)).toHaveLength(2);
  });

  it('looks there too for one that is listed without a serial', async () => {
    await using bench = await startRegistration({
      licenses: [{ licenseNumber: A, status: 'Registered' }],
      products: { 'FAC-VM0000000002': [A] },
    });
    expect(outcomes(await bench.observe({ serials: ['FAC-VM0000000002'] }))).toEqual([
      { kind: 'registered', serial: 'FAC-VM0000000002' },
    ]);
  });

  it('does not find it in a product whose list of licences is null', async () => {
    await using bench = await startRegistration({ products: { 'FAC-VM0000000001': null } });
    expect(outcomes(await bench.observe({ serials: ['FAC-VM0000000001'] }))).toEqual([{ kind: 'not-listed' }]);
    expect(paths(bench.service).at(-1)).toBe(PRODUCTS_PATH);
  });

  it('logs in at one host and asks at another', async () => {
    await using bench = await startRegistration();
    const { identity, tokens } = bench.service;
    await using auth = await createRegistrationService({ identity, tokens });
    expect(outcomes(await bench.observe({ config: { authUrl: auth.url } }))).toEqual([{ kind: 'not-listed' }]);
    expect([paths(auth), paths(bench.service)]).toEqual([[TOKEN_PATH], [LICENSES_PATH]]);
  });

  it('names the account where one signs on for an organisation', async () => {
    const held = { licenseNumber: A, serialNumber: 'FAC-VM0000000001', status: 'Registered' };
    await using bench = await startRegistration({ organisation: 1_234_567, licenses: [held] });
    expect(outcomes(await bench.observe())).toMatchObject([
      { kind: 'failed', reason: 'rejected', message: expect.stringContaining('accountId is required') as unknown },
    ]);
    expect(outcomes(await bench.observe({ config: { accountId: 1_234_567 } }))).toMatchObject([{ kind: 'registered' }]);
  });

  it.each<[string, readonly string[], number | undefined]>([
    ['one record', ['FTM-ELIC-25'], 25],
    ['another kind of SKU', ['FMG-VM-CLOUD'], undefined],
    ['a SKU without a number', ['FTM-ELIC-'], undefined],
    ['two records, of parts perhaps', ['FTM-ELIC-25', 'FTM-ELIC-5'], undefined],
  ])('tells how many tokens were bought, by the SKU of %s', async (_, skus, bought) => {
    const licenses = skus.map((licenseSKU) => ({
      licenseNumber: A,
      licenseSKU,
      serialNumber: 'FAC-A0000',
      status: 'Registered',
    }));
    await using bench = await startRegistration({ licenses });
    const registered = { kind: 'registered', serial: 'FAC-A0000' };
    expect(outcomes(await bench.observe())).toEqual([bought === undefined ? registered : { ...registered, bought }]);
  });

  it('logs in once for many licences, and sends nothing but the three known operations', async () => {
    await using bench = await startRegistration();
    await bench.observe({ licenses: [A, B, A], serials: ['FAC-VM0000000001'], config: { accountId: 77 } });
    expect(bench.service.requests.map(({ method, path, body }) => [method, path, JSON.parse(body) as unknown])).toEqual(
      [
        [
          'POST',
          TOKEN_PATH,
          { username: 'api-user', password: 'api-password', client_id: 'assetmanagement', grant_type: 'password' },
        ],
        ['POST', LICENSES_PATH, { licenseNumber: A, accountId: 77 }],
        ['POST', LICENSES_PATH, { licenseNumber: B, accountId: 77 }],
        ['POST', PRODUCTS_PATH, { serialNumber: 'FAC-VM0000000001' }],
      ],
    );
  });

  it('sends nothing without a licence to ask for', async () => {
    await using bench = await startRegistration();
    expect(await bench.observe({ licenses: [] })).toEqual({ kind: 'ok', lookups: [] });
    expect(bench.service.requests).toEqual([]);
  });

  it.each([400, 403])(
    'keeps what it was told of the others when it may not ask for one licence (%i)',
    async (status) => {
      await using bench = await startRegistration({
        refused: { [A]: status },
        licenses: [{ licenseNumber: B, serialNumber: 'FAC-VM0000000001', status: 'Registered' }],
      });
      expect(outcomes(await bench.observe({ licenses: [A, B] }))).toEqual([
        {
          kind: 'failed',
          reason: 'rejected',
          message: expect.stringMatching(
            new RegExp(`^Looking up licence "${A}" failed: HTTP ${String(status)}`, 'u'),
          ) as unknown,
          durationMs: 0,
        },
        { kind: 'registered', serial: 'FAC-VM0000000001' },
      ]);
    },
  );

  it('is denied with a wrong password, which is nowhere shown, and waits before it tries again', async () => {
    await using bench = await startRegistration();
    const file = memoryFile();
    const wrong = { file, config: { password: { kind: 'env', name: 'WRONG' } } } as const;
    const observation = await bench.observe(wrong);
    expect(observation).toEqual({ kind: 'denied', message: 'HTTP 401 during login' });
    expect(await bench.observe(wrong)).toMatchObject({ kind: 'postponed' });
    expect(bench.service.requests).toHaveLength(1);
    expect(JSON.stringify([observation, file.text()])).not.toMatch(/guess|api-password|api-user/u);
  });
});
