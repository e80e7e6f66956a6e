import { describe, expect, test } from 'vitest';
import { formatDistinguishedName } from '../../../../src/core/certificate.ts';
import { openCase, type ReferenceChain, type TlsEvidence } from '../../../../src/checks/tls-genuine/chain-case.ts';
import { type Signal, signalsOf } from '../../../../src/checks/tls-genuine/signals.ts';
import { createSignatureChecks } from '../../../../src/tls/chain.ts';
import type { Identity } from '../../../support/certificates/authority.ts';
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
  return signals.filter(({ rule }) => rule === agrees || rule === 'server-name-changes-nothing');
}

const misnamedByOlder = await w.leafFor('globalftm.example.net', genuine.older);
const weak = await w.leaf(genuine.sub, { key: 'RSA-1024' });
const company: Sent = [w.byCorporate];
const likeVendor: Sent = [w.byNewSub, w.newSub];

describe('the genuine key on another path', () => {
  test.each<readonly [Kind, string, Sent, string]>([
    ['resolver', 'at the address from', likeVendor, 'witness'],
    ['proxy', 'over', likeVendor, 'witness'],
    ['tls-version', 'in', likeVendor, 'witness'],
    ['address', 'at', company, 'witness'],
    ['address', 'at', likeVendor, 'weak'],
    ['server-name', 'with the server name', company, 'weak'],
  ])('%s, told as "%s"', (kind, way, sent, weight) => {
    expect(told(sent, [shown(kind, server, genuine.sub)])).toEqual([
      {
        rule: agrees,
        weight,
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

  test.each<readonly [Kind, string]>([
    ['resolver', 'witness'],
    ['address', 'weak'],
  ])("where a device's certificate is shown here: %s, %s", (kind, weight) => {
    const name = formatDistinguishedName(certificateOf(w.device).subject);
    expect(told([w.device, genuine.sub], [shown(kind, server, genuine.sub)])).toEqual([
      {
        rule: agrees,
        weight,
        claim: expect.stringMatching(
          /^The certificate belongs to FG3K4ETB19900078, but the certificate at .* to the server\.$/u,
        ),
        fullNames: [name],
        expected: expect.stringMatching(/^The server's certificate, as at .*there$/u),
      },
    ]);
  });

  test.each<readonly [string, Sent]>([
    ['for another name here, under the same authority', [w.misnamed, genuine.sub]],
    ['for another name here, under another trusted authority', [misnamedByOlder, genuine.older]],
    ['over a key that can be forged here, under the same authority', [weak, genuine.sub]],
  ])('says nothing of an authority that is right: %s', (_, sent) => {
    expect(told(sent, [shown('resolver', server, genuine.sub), shown('address', server, genuine.sub)])).toEqual([]);
  });

  test('is told once, and as a witness where one of several is', () => {
    const references = [shown('server-name', server, genuine.sub), shown('proxy', server, genuine.sub)];
    expect(told(company, references).map(({ weight }) => weight)).toEqual(['witness']);
  });

  test.each<readonly [string, readonly ReferenceChain[], number]>([
    ['for another name there', [shown('proxy', w.misnamed, genuine.sub)], 0],
    ["in a device's certificate there", [shown('proxy', w.device, genuine.sub)], 0],
    ['for another name, with another server name', [shown('server-name', w.misnamed, genuine.sub)], 1],
    ['but nothing was shown', [shown('proxy')], 0],
    ['but somebody else was shown', [shown('proxy', w.byCorporateSub, w.corporate.sub)], 0],
    ['but a public authority was shown, which does not count here', [shown('proxy', w.publicLeaf, w.public.sub)], 0],
  ])('%s', (_, references, count) => {
    expect(told(company, references)).toHaveLength(count);
  });
});

describe('a public chain with another server name', () => {
  test('is weak under the private authority', () => {
    expect(told(company, [shown('server-name', w.publicLeaf, w.public.sub)])).toEqual([
      {
        rule: 'server-name-changes-nothing',
        weight: 'weak',
        claim:
          'The certificate was issued by Acme Root CA, but the certificate with the server name there was issued ' +
          'by a public authority.',
        fullNames: [expect.stringMatching(/^C=DE/u)],
        expected: 'A trusted chain with this server name, as with the server name there',
      },
    ]);
  });

  test.each<readonly [string, ReferenceChain, string | undefined]>([
    ['for the right name', shown('proxy', w.publicServer, w.public.sub), agrees],
    ['for another name', shown('proxy', w.publicLeaf, w.public.sub), undefined],
    [
      'for another name, with another server name',
      shown('server-name', w.publicLeaf, w.public.sub),
      'server-name-changes-nothing',
    ],
    ['of nobody known', shown('server-name', w.byCorporateSub, w.corporate.sub), undefined],
  ])('is genuine where public authorities count, %s', (_, reference, rule) => {
    expect(told(company, [reference], PUBLIC)[0]?.rule).toBe(rule);
  });
});
