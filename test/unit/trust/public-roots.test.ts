import { rootCertificates } from 'node:tls';
import { describe, expect, test } from 'vitest';
import type { DistinguishedName } from '../../../src/core/certificate.ts';
import { distinguishedNameKey } from '../../../src/tls/names.ts';
import { parseCertificate } from '../../../src/tls/parse-certificate.ts';
import { createPublicRoots } from '../../../src/trust/load-trust.ts';
import { readPem } from '../../../src/tls/pem.ts';

const ALL = rootCertificates.flatMap(readPem).flatMap((der) => parseCertificate(der) ?? []);
const BY_SUBJECT = Map.groupBy(ALL, ({ subject }) => distinguishedNameKey(subject));

function changed(name: DistinguishedName, change: (value: string) => string): DistinguishedName {
  return { attributes: name.attributes.map(({ type, value }) => ({ type, value: change(value) })) };
}

describe('bySubject()', () => {
  const roots = createPublicRoots();

  test('finds every root that Node has, with all others of its name', () => {
    expect(ALL.length).toBeGreaterThan(100);
    for (const { subject } of ALL)
      expect(roots.bySubject(subject)).toEqual(BY_SUBJECT.get(distinguishedNameKey(subject)));
  });

  test('without regard to case and repeated spaces (RFC 5280 §7.1)', () => {
    for (const { subject } of ALL) {
      const shouted = changed(subject, (text) => text.toUpperCase().replaceAll(' ', '   '));
      expect(roots.bySubject(shouted)).toEqual(BY_SUBJECT.get(distinguishedNameKey(shouted)));
    }
  });

  test('finds none for a name that only looks like one, and for an empty one', () => {
    for (const { subject } of ALL.slice(0, 20))
      expect(roots.bySubject(changed(subject, (value) => `${value} G99`))).toEqual([]);
    expect(roots.bySubject({ attributes: [] })).toEqual([]);
  });
});

test('hasOrganization() knows those of the roots', () => {
  const roots = createPublicRoots();
  expect(roots.hasOrganization('digicert')).toBe(true);
  expect(roots.hasOrganization('acme')).toBe(false);
});

test('what is no certificate is none of the roots', () => {
  const garbage = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
  const [root, pem] = [ALL[0], rootCertificates[0] ?? ''];
  const roots = createPublicRoots([garbage, pem]);
  expect(root === undefined ? [] : roots.bySubject(root.subject)).toEqual([root]);
});
