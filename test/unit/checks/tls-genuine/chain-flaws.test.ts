import '../../../../src/demo/lab/reflect-metadata.ts';
import { KeyUsageFlags } from '@peculiar/x509';
import { describe, expect, test } from 'vitest';
import { endFlaws, lastingFlaws } from '../../../../src/tls/flaws.ts';
import { certificateOf } from '../../../support/certificates/chains.ts';
import { extension, FLAW_ROWS, flawedChain } from '../../../support/certificates/flaw-rows.ts';
import { dns, nameConstraints } from '../../../support/certificates/name-constraints.ts';

/** Whether OpenSSL agrees with the rows is tested in test/integration/interception. */
describe('lastingFlaws(), endFlaws()', () => {
  test.each(FLAW_ROWS)('$name: $flaw', async ({ flaw, ...row }) => {
    const path = (await flawedChain(row)).map(certificateOf);
    const kinds = [...lastingFlaws(path), ...endFlaws(path, Date.now())].map(({ kind }) => kind);
    expect([...new Set(kinds)]).toEqual(flaw === undefined ? [] : [flaw]);
  });
});

describe('a critical extension', () => {
  test.each([
    ['subjectAltName', '2.5.29.17'],
    ['certificatePolicies', '2.5.29.32'],
    ['cRLDistributionPoints', '2.5.29.31'],
    ['ipAddrBlocks', '1.3.6.1.5.5.7.1.7'],
    ['autonomousSysIds', '1.3.6.1.5.5.7.1.8'],
    ['OCSP noCheck', '1.3.6.1.5.5.7.48.1.5'],
    ['policyConstraints', '2.5.29.36'],
    ['proxyCertInfo', '1.3.6.1.5.5.7.1.14'],
    ['policyMappings', '2.5.29.33'],
    ['inhibitAnyPolicy', '2.5.29.54'],
  ])('that TLS clients handle is no flaw: %s', async (_, oid) => {
    const path = (await flawedChain({ subs: [extension(oid, true)] })).map(certificateOf);
    expect(lastingFlaws(path)).toEqual([]);
  });
});

describe('the flaw as it is told', () => {
  const now = Date.now();

  test.each([
    { row: { root: { pathLength: 0 } }, text: /Root allows 0 authorities below it, but has 1\.$/u },
    {
      row: { leaf: { keyUsages: KeyUsageFlags.nonRepudiation } },
      text: /license.example.test is not intended for TLS servers\.$/u,
    },
    { row: { subs: [extension('1.3.6.1.4.1.12356.1', true)] }, text: /Sub 0 has a critical extension that TLS/u },
    {
      row: { subs: [{ extensions: [nameConstraints([dns('example.org')])] }] },
      text: /Sub 0 does not allow the names in the certificates below it\.$/u,
    },
  ])('names the certificate: $text', async ({ row, text }) => {
    const path = (await flawedChain(row)).map(certificateOf);
    expect(lastingFlaws(path).map((flaw) => flaw.claim)).toEqual([expect.stringMatching(text)]);
  });

  test('says in which direction the trusted end is out of date, to the moment', async () => {
    const path = (await flawedChain({})).map(certificateOf);
    const end = path.at(-1);
    if (end === undefined) throw new Error('Expected a chain');
    const told = (from: number, to: number): readonly string[] =>
      endFlaws([...path.slice(0, -1), { ...end, notBefore: from, notAfter: to }], now).map(({ claim }) => claim);
    expect(told(now, now)).toEqual([]);
    // A leaf that is itself trusted has no trusted certificate above it.
    expect(endFlaws([{ ...end, notAfter: now - 1 }], now)).toEqual([]);
    expect(told(now - 2, now - 1)).toEqual([expect.stringMatching(/Root has expired\.$/u)]);
    expect(told(now + 1, now + 2)).toEqual([expect.stringMatching(/Root is not yet valid\.$/u)]);
  });
});
