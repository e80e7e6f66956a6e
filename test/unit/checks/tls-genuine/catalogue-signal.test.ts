import { expect, test } from 'vitest';
import { judgeTls } from '../../../../src/checks/tls-genuine/verdict.ts';
import { createIdentity, type Identity } from '../../../../src/demo/lab/identity.ts';
import { createCast } from '../../../support/certificates/verdict-cast.ts';
import { sees } from '../../../support/certificates/verdict-rows.ts';

const w = await createCast();
const below = await createIdentity({ name: 'O=Acme AG, CN=Sub', authority: true, issuer: w.fortigate });
const above = await createIdentity({ name: w.fortigate.name, authority: true, issuer: w.corporate.root });
const between = await createIdentity({ name: 'O=Acme AG, CN=Sub', authority: true, issuer: above });

test.each<readonly [string, readonly Identity[]]>([
  ['above an authority that was sent', [below]],
  ['above it, and sent', [below, w.fortigate]],
  ['between others', [between, above, w.corporate.root]],
])('an inspection product is found %s', async (_, [issuer = below, ...rest]) => {
  const { product, findings } = judgeTls(w.evidence(sees(await w.leaf(issuer), issuer, ...rest)));
  expect(product).toBe('Fortinet FortiGate');
  expect(findings.find(({ rule }) => rule === 'issuer-is-no-inspection-product')?.claim).toContain(
    'The issuer FG100FTK20012345 is an inspection authority from Fortinet FortiGate.',
  );
});

test.each([
  ['x-mwg-via', 'intercepted'],
  ['zsa-anything', 'intercepted'],
  ['x-mwg-via-count', 'interception-suspected'],
  ['my-x-mwg-via', 'interception-suspected'],
])('the header %s of an answer beside a company authority: %s', (trace, verdict) => {
  expect(judgeTls(w.evidence({ ...sees(w.byCorporate), traces: [trace] })).verdict).toBe(verdict);
});
