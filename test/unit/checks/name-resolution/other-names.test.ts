import { describe, expect, test } from 'vitest';
import { NO_OTHER_NAMES, otherNamesOf, withoutShared } from '../../../../src/checks/name-resolution/other-names.ts';
import type { DnsAnswer, DnsObservation } from '../../../../src/core/observation.ts';
import { createIdentity } from '../../../../src/demo/lab/identity.ts';
import { established } from '../../../support/certificates/chains.ts';
import { endpoint, path, round } from '../../../support/checks/observed.ts';

const HOST = 'fortitokenmobile.fortinet.com';
const OTHER = 'www.iana.org';
const GOOD = '173.243.138.84';
const PARKED = '185.53.178.50';
const UDP = 'udp://10.0.0.53:53';

function answer(addresses: readonly string[]): DnsAnswer {
  return { kind: 'answer', rcode: 'NOERROR', addresses, cnames: [], ttlSeconds: 60, durationMs: 3, attempts: 1 };
}

function seen(a: DnsAnswer, resolver = UDP, name = HOST): DnsObservation {
  return { resolver, name, a, aaaa: answer([]) };
}

describe('otherNamesOf()', () => {
  const licenseServer = path({ host: HOST, names: [seen(answer([PARKED, GOOD]))] });
  const control = (name: string, ...addresses: readonly string[]) =>
    path({ host: name, names: [seen(answer(addresses), UDP, name)] });
  const shared = (name: string, address: string, isGenuine = false): readonly string[] =>
    otherNamesOf(round({ licenseServer, controls: [control(name, address)] }), [GOOD], () => isGenuine).shared;

  test.each<readonly [string, readonly string[], readonly string[]]>([
    ['an unrelated name has it', shared(OTHER, PARKED), [PARKED]],
    ['an unrelated name has another', shared(OTHER, '192.0.43.8'), []],
    ['a name of the same owner has it', shared('www.fortinet.com', PARKED), []],
    ['it is expected', shared(OTHER, GOOD), []],
    ["it shows the server's own certificate", shared(OTHER, PARKED, true), []],
  ])('an address is shared or not: %s', (_, found, expected) => {
    expect(found).toEqual(expected);
  });

  test('takes what was asked later, and the name with a dot at its end', () => {
    const base = round({ licenseServer });
    const [dotted, parked] = [seen(answer([GOOD]), 'system', `${HOST}.`), seen(answer([PARKED]), UDP, OTHER)];
    const related = seen(answer([GOOD]), UDP, 'www.fortinet.com');
    const otherNames = [dotted, related, seen(answer([GOOD]), UDP), parked];
    const found = otherNamesOf({ ...base, path: { ...base.path, otherNames } }, [GOOD], () => false);
    expect(found).toEqual({ others: [parked, related], absolute: dotted, shared: [PARKED] });
    expect(otherNamesOf(base, [GOOD], () => false)).toEqual(NO_OTHER_NAMES);
  });
});

describe('withoutShared()', async () => {
  const tls = established(await createIdentity({ name: 'CN=parking.test' }));
  const at = (address: string) => ({ ...endpoint(address), tls });
  const closer = {
    address: PARKED,
    again: null,
    otherName: null,
    refusable: null,
    controls: [],
  };
  const reference = { kind: 'server-name', label: OTHER, isFresh: true, outcome: tls } as const;
  const seenRound = round({
    licenseServer: path({ host: HOST, endpoints: [at(PARKED), at(GOOD)], references: [reference], closer }),
    burst: [at(PARKED), at(GOOD)],
    controls: [path({ host: OTHER, endpoints: [at(PARKED), at('192.0.43.8')] })],
  });

  test('leaves out what was seen at an address that every name has', () => {
    const left = withoutShared(seenRound, { ...NO_OTHER_NAMES, shared: [PARKED] });
    const { licenseServer, burst } = left.path;
    expect(licenseServer.endpoints.map(({ address }) => address)).toEqual([GOOD]);
    expect(licenseServer.references).toEqual([reference]);
    expect('closer' in licenseServer).toBe(false);
    expect(burst.map(({ address }) => address)).toEqual([GOOD]);
    // The result that the address accepts connections is kept.
    expect(left.controls[0]?.endpoints).toMatchObject([
      { address: PARKED, tcp: { kind: 'open' }, tls: null, http: null },
      { address: '192.0.43.8', tls },
    ]);
  });

  test('leaves out the look with another name where no address is left', () => {
    const left = withoutShared(seenRound, { ...NO_OTHER_NAMES, shared: [PARKED, GOOD] });
    expect(left.path.licenseServer).toMatchObject({ endpoints: [], references: [] });
  });

  test('keeps everything else, and all where nothing is shared', () => {
    expect(withoutShared(seenRound, NO_OTHER_NAMES)).toBe(seenRound);
    const left = withoutShared(seenRound, { ...NO_OTHER_NAMES, shared: ['192.0.2.7'] });
    expect(left).toEqual(seenRound);
  });
});
