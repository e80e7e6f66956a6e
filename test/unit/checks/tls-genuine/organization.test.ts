import { expect, test } from 'vitest';
import { organizationKey } from '../../../../src/tls/trust.ts';

test.each([
  ['DigiCert Inc', 'digicert'],
  ['DigiCert, Inc.', 'digicert'],
  ['  DigiCert   Inc ', 'digicert'],
  ['Acme GmbH', 'acme'],
  ['Acme Co., Ltd.', 'acme'],
  ['GlobalSign nv-sa', 'globalsign'],
  ['Acme Holding AG', 'acme holding'],
  ['Acme Inc Holding', 'acme inc holding'],
  ['Inc. Magazine', 'inc magazine'],
  ['Income', 'income'],
  ['Inc', 'inc'],
])('"%s" is the organization "%s"', (name, key) => {
  expect(organizationKey(name)).toBe(key);
});
