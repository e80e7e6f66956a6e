import { describe, expect, test } from 'vitest';
import { formatDistinguishedName } from '../../../../src/core/certificate.ts';
import { openCase, type ReferenceChain, type TlsEvidence } from '../../../../src/checks/tls-genuine/chain-case.ts';
import { type Signal, signalsOf } from '../../../../src/checks/tls-genuine/signals.ts';
import { createSignatureChecks } from '../../../../src/tls/chain.ts';
import type { Identity } from '../../../../src/demo/lab/identity.ts';
import { certificateOf, chainOf } from '../../../support/certificates/chains.ts';
import { createCast } from '../../../support/certificates/verdict-cast.ts';
import { PUBLIC } from '../../../support/certificates/verdict-rows.ts';

const w = await createCast();
const { genuine, server } = w;
const agrees = 'reference-path-agrees';
type Kind = ReferenceChain['kind'];
type Sent = readonly [Identity, ...Identity[]];

const shown = (kind: Kind, ...chain: readonly Identity[]): ReferenceChain => ({
  kind,
  label: 'there',
  chain: chainOf(...chain),
});

function told(
  [leaf, ...rest]: Sent,
  references: readonly ReferenceChain[],
  seen: Partial<TlsEvidence> = {},
): readonly Signal[] {
  const sent = [certificateOf(leaf), ...rest.map(certificateOf)] as const;
  const signals = signalsOf(openCase(sent, w.evidence({ ...seen, references }), createSignatureChecks()));
  return signals.filter(({ rule }) => rule === agrees);
}

const misnamedByOlder = await w.leafFor('globalftm.example.net', genuine.older);
const weak = await w.leaf(genuine.sub, { key: 'RSA-1024' });
const company: Sent = [w.byCorporate];
const likeVendor: Sent = [w.byNewSub, w.newSub];

describe('the genuine key on another path', () => {
  test.each<readonly [Kind, string, Sent]>([
    ['resolver', 'at the address from', likeVendor],
    ['proxy', 'over', likeVendor],
    ['tls-version', 'in', likeVendor],
    ['address', 'at', company],
  ])('%s, told as "%s"', (kind, way, sent) => {
    expect(told(sent, [shown(kind, server, genuine.sub)])).toEqual([
      {
        rule: agrees,
        weight: 'witness',
        claim: expect.stringMatching(
          new RegExp(
            `^The certificate was issued by .*, but the certificate ${way} there was issued by a trusted authority`,
            'u',
          ),
        ),
        fullNames: [expect.stringMatching(/^C=/u)],
        expected: `The same authority as ${way} there: ${genuine.sub.name}`,
      },
    ]);
  });

  test("where a device's certificate is shown here", () => {
    const name = formatDistinguishedName(certificateOf(w.device).subject);
    expect(told([w.device, genuine.sub], [shown('resolver', server, genuine.sub)])).toMatchObject([
      { weight: 'witness', fullNames: [name] },
    ]);
  });

  test.each<readonly [string, Sent]>([
    ['for another name here, under the same authority', [w.misnamed, genuine.sub]],
    ['for another name here, under another trusted authority', [misnamedByOlder, genuine.older]],
    ['over a key that can be forged here, under the same authority', [weak, genuine.sub]],
  ])('says nothing of an authority that is right: %s', (_, sent) => {
    expect(told(sent, [shown('resolver', server, genuine.sub), shown('address', server, genuine.sub)])).toEqual([]);
  });

  test('says nothing of the vendor at another address, whose nodes are renewed in turn', () => {
    expect(told(likeVendor, [shown('address', server, genuine.sub)])).toEqual([]);
  });

  test('is told once', () => {
    expect(told(company, [shown('resolver', server, genuine.sub), shown('proxy', server, genuine.sub)])).toHaveLength(
      1,
    );
  });

  test.each<readonly [string, readonly ReferenceChain[], number]>([
    ['for another name there', [shown('proxy', w.misnamed, genuine.sub)], 0],
    ["in a device's certificate there", [shown('proxy', w.device, genuine.sub)], 0],
    ['with another server name', [shown('server-name', server, genuine.sub)], 0],
    ['but nothing was shown', [shown('proxy')], 0],
    ['but somebody else was shown', [shown('proxy', w.byCorporateSub, w.corporate.sub)], 0],
    ['but a public authority was shown, which does not count here', [shown('proxy', w.publicLeaf, w.public.sub)], 0],
  ])('%s', (_, references, count) => {
    expect(told(company, references)).toHaveLength(count);
  });
});

test.each<readonly [string, ReferenceChain, number]>([
  ['for the right name', shown('proxy', w.publicServer, w.public.sub), 1],
  ['for another name', shown('proxy', w.publicLeaf, w.public.sub), 0],
  ['of nobody known', shown('proxy', w.byCorporateSub, w.corporate.sub), 0],
])('a public chain %s, where public authorities count', (_, reference, count) => {
  expect(told(company, [reference], PUBLIC)).toHaveLength(count);
});
