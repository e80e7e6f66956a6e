import { describe, expect, test } from 'vitest';
import { openCase, type TlsEvidence } from '../../../../src/checks/tls-genuine/chain-case.ts';
import { type Signal, signalsOf } from '../../../../src/checks/tls-genuine/signals.ts';
import { createSignatureChecks } from '../../../../src/tls/chain.ts';
import type { Trust } from '../../../../src/tls/trust.ts';
import { createIdentity, type Identity } from '../../../../src/demo/lab/identity.ts';
import { anchorOf, certificateOf, pinOf } from '../../../support/certificates/chains.ts';
import { createCast } from '../../../support/certificates/verdict-cast.ts';
import { reference } from '../../../support/certificates/verdict-rows.ts';

const w = await createCast();
const { genuine, copied, corporate, server } = w;
const NOTHING: Trust = { ...w.trust, pins: [], anchors: [] };
const forged = await w.leaf(copied.sub);

function signals([leaf, ...rest]: readonly [Identity, ...Identity[]], seen: Partial<TlsEvidence>): readonly Signal[] {
  const sent = [certificateOf(leaf), ...rest.map(certificateOf)] as const;
  const found = signalsOf(openCase(sent, w.evidence(seen), createSignatureChecks()));
  return found.filter(({ rule }) => rule === 'names-belong-to-their-keys');
}

const root = (name: string): Promise<Identity> => createIdentity({ name, authority: true });
/** Returns a new leaf under this authority, and the authority. */
const under = async (top: Identity): Promise<readonly [Identity, Identity]> => [await w.leaf(top), top];
const withoutCountry = await under(await root('O=Fortinet, CN=fortinet-ca2'));
const likePublicRoot = await under(await root(w.public.root.name));
const anotherName = await under(await root('O=Fortinet, CN=fortinet-ca9'));
const anotherOrganization = await under(await root('O=Acme, CN=fortinet-ca2'));
const organizationAlone = await under(await root('O=Fortinet'));
const countryAlone = await under(await root('C=US'));
const knownOrganization = anchorOf(await root('O=Fortinet'));
const knownCountry = anchorOf(await root('C=US'));
const learned = { baseline: w.baseline(server, genuine.sub) };
const held = { ...NOTHING, anchors: [anchorOf(genuine.sub)] };

describe('the name of a known authority under another key', () => {
  test.each<readonly [string, readonly [Identity, ...Identity[]], Partial<TlsEvidence>]>([
    ['at the end of a chain', [forged, copied.sub, copied.root], {}],
    ['between others', [forged, copied.sub], { trust: held }],
    ['without the country and the mail address', withoutCountry, {}],
    ['of a public root', likePublicRoot, {}],
    ['appended to a chain that ends', [w.byCorporateSub, corporate.sub, corporate.root, copied.sub], {}],
    ['of the issuer, who is held and has not signed', [forged], { trust: held }],
    ['of the issuer, who is held and was learned', [forged], { ...learned, trust: held }],
    [
      'of the issuer, who was learned and is sent along',
      [forged, genuine.sub],
      { ...learned, trust: { ...NOTHING, pins: [pinOf(genuine.root)] } },
    ],
  ])('is a witness: %s', (_, sent, seen) => {
    expect(signals(sent, seen).map(({ weight }) => weight)).toEqual(['witness']);
  });

  test.each<readonly [string, readonly [Identity, ...Identity[]], Partial<TlsEvidence>]>([
    ['of the issuer, who has not signed', [forged], { ...learned, trust: NOTHING }],
    [
      'of one of several that were learned',
      [forged],
      { baseline: w.baseline(server, corporate.sub, genuine.sub), trust: NOTHING },
    ],
    [
      'of the issuer, where others are held',
      [forged],
      { ...learned, trust: { ...NOTHING, anchors: [anchorOf(w.ownRoot)] } },
    ],
  ])('is a hint where it was only learned: %s', (_, sent, seen) => {
    expect(signals(sent, seen).map(({ weight }) => weight)).toEqual(['hint']);
  });

  test.each<readonly [string, readonly [Identity, ...Identity[]], Partial<TlsEvidence>]>([
    ['the chain is genuine', [server, genuine.sub, genuine.root], {}],
    ['nobody with this name is known', [forged, copied.sub, copied.root], { trust: NOTHING }],
    [
      'only the hash of a key is known',
      [forged, copied.sub],
      {
        trust: { ...NOTHING, pins: [pinOf(genuine.sub, 'configured')] },
      },
    ],
    ['it is appended to a chain that does not end', [w.byCorporateSub, copied.sub], {}],
    ['it is another name', anotherName, {}],
    ['it is another organization', anotherOrganization, {}],
    [
      'nobody is named but the organization',
      organizationAlone,
      {
        trust: { ...NOTHING, anchors: [knownOrganization] },
      },
    ],
    [
      'nobody is named at all',
      countryAlone,
      {
        trust: { ...NOTHING, anchors: [knownCountry] },
      },
    ],
  ])('is none where %s', (_, sent, seen) => {
    expect(signals(sent, seen)).toEqual([]);
  });

  test('is told with the name', () => {
    expect(signals([forged, copied.sub, copied.root], {})[0]?.claim).toMatch(
      /^fortinet-ca2 does not have the same key as the genuine authority with this name\.$/u,
    );
    expect(signals([forged], { trust: held })[0]?.claim).toMatch(
      /^The certificate claims to be issued by fortinet-subca2001, but was not signed with that authority's key\.$/u,
    );
  });
});

describe('what belongs to the genuine leaf under another key', () => {
  const original = certificateOf(server);
  const dates = { notBefore: new Date(original.notBefore), notAfter: new Date(original.notAfter) };
  const serial = { serial: original.serial.replaceAll(':', '') };
  const elsewhere = { references: reference('address', server, genuine.sub) };

  test.each<readonly [string, Promise<Identity>, Partial<TlsEvidence>, number]>([
    ['its dates, as learned', w.leaf(corporate.sub, dates), learned, 1],
    ['its dates, as seen elsewhere', w.leaf(corporate.sub, dates), elsewhere, 1],
    [
      'its serial',
      w.leaf(corporate.sub, { ...serial, notBefore: new Date(original.notBefore - 86_400_000) }),
      learned,
      1,
    ],
    [
      'the day it began alone',
      w.leaf(corporate.sub, { notBefore: dates.notBefore, notAfter: new Date(original.notAfter + 86_400_000) }),
      learned,
      0,
    ],
    [
      'the day it ends alone',
      w.leaf(corporate.sub, { ...dates, notBefore: new Date(original.notBefore - 86_400_000) }),
      learned,
      0,
    ],
    ['its dates, under its own authority', w.leaf(genuine.sub, dates), learned, 0],
    ['its key', w.leaf(corporate.sub, { ...dates, keys: server.keys }), learned, 0],
  ])('%s', async (_, leaf, seen, count) => {
    expect(signals([await leaf], { ...seen, trust: NOTHING }).map(({ weight }) => weight)).toEqual(
      Array.from({ length: count }, () => 'hint'),
    );
  });
});
