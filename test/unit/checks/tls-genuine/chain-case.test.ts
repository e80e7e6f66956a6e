import { describe, expect, test } from 'vitest';
import {
  openCase,
  type ControlChain,
  type TlsEvidence,
  type identify,
  type ChainCase,
} from '../../../../src/checks/tls-genuine/chain-case.ts';
import { createSignatureChecks } from '../../../../src/tls/chain.ts';
import { createIdentity, type Identity, type IdentityOptions } from '../../../../src/demo/lab/identity.ts';
import { certificateOf, chainOf, pinOf } from '../../../support/certificates/chains.ts';
import { DAY_MS, HOST } from '../../../support/certificates/interception-world.ts';
import { createCast } from '../../../support/certificates/verdict-cast.ts';
import { PUBLIC, reference } from '../../../support/certificates/verdict-rows.ts';

type Whose = ReturnType<typeof identify>;
type Dates = ChainCase['dates'];

const w = await createCast();
const { genuine, server, now } = w;
type Sent = readonly [Identity, ...Identity[]];

const open = ([leaf, ...rest]: Sent, seen: Partial<TlsEvidence> = {}): ReturnType<typeof openCase> =>
  openCase([certificateOf(leaf), ...rest.map(certificateOf)], w.evidence(seen), createSignatureChecks());

const other = (options: IdentityOptions): Promise<Identity> => createIdentity({ issuer: w.ownRoot, ...options });
const byCommonName = await other({ name: `O=Fortinet, CN=${HOST}` });
const another = await other({ name: 'O=Fortinet, CN=node', dnsNames: ['node.example'] });
const sameSubject = await other({ name: 'O=Fortinet, CN=node', dnsNames: ['node2.example'] });
const [withoutName, sameWithoutName] = [await other({ name: 'O=Fortinet' }), await other({ name: 'O=Fortinet' })];
const learned = { baseline: w.baseline(server, genuine.sub) };
const several = { ...w.baseline(server), leaves: [server, another].map(certificateOf) };

describe('whose certificate it is', () => {
  test.each<readonly [string, Whose, Identity, Partial<TlsEvidence>]>([
    ['a pinned key', 'known-key', another, { trust: { ...w.trust, pins: [pinOf(another, 'configured')] } }],
    ['a learned key', 'known-key', another, { baseline: several }],
    ['the name of the target', 'named', w.byCorporate, {}],
    ['the name of the target, asked for by another', 'named', w.byCorporate, { serverName: 'ca2.fortinet.com' }],
    ['the name that was asked for', 'named', another, { serverName: 'node.example' }],
    ['the name of the target, asked for by none', 'named', w.byCorporate, { serverName: null }],
    ['the common name, where that may have to do', 'named', byCommonName, {}],
    ['the common name, under public authorities', 'other', byCommonName, { profile: 'public' }],
    ['the subject of a learned one', 'known-subject', sameSubject, { baseline: several }],
    ['the subject of none that was learned', 'other', sameSubject, learned],
    ['a subject without a name', 'other', sameWithoutName, { baseline: w.baseline(withoutName) }],
    ["a device's", 'device', w.device, learned],
    ["somebody else's", 'other', another, {}],
  ])('%s: %s', (_, whose, leaf, seen) => {
    expect(open([leaf], seen).identity).toBe(whose);
  });
});

const span = (from: number, to: number): Pick<IdentityOptions, 'notBefore' | 'notAfter'> => ({
  notBefore: new Date(now + from * DAY_MS),
  notAfter: new Date(now + to * DAY_MS),
});
const old = span(-9, -1);
const future = span(1, 9);
const control = async (dates: object, issuer = w.public.sub): Promise<ControlChain> => ({
  target: 'www.iana.org:443',
  chain: chainOf(await w.leafFor('www.iana.org', issuer, dates), issuer),
});
const oldSub = (): Promise<Identity> =>
  createIdentity({ name: 'O=Fortinet, CN=Old', authority: true, issuer: genuine.root, ...old });

const DATES: readonly (readonly [string, Dates, object, readonly ControlChain[]])[] = [
  ['in date', 'valid', {}, []],
  ['in date, and a control host is not', 'valid', {}, [await control(old)]],
  ['too old', 'expired', old, []],
  ['too new', 'not-yet-valid', future, []],
  ['too old, as a control host is', 'clock', old, [w.cleanControl, await control(old)]],
  ['too new, as a control host is', 'clock', future, [await control(future)]],
  ['too old, where a control host is too new', 'expired', old, [await control(future)]],
  ['too old, where a control host is not', 'expired', old, [w.cleanControl]],
  ['too old, as a host of nobody known is', 'expired', old, [await control(old, w.corporate.sub)]],
  ['too old, where a control host showed nothing', 'expired', old, [{ target: 'a:1', chain: chainOf() }]],
];

describe('the dates', () => {
  test.each(DATES)('%s: %s', async (_, dates, options, controls) => {
    expect(open([await w.leaf(genuine.sub, options), genuine.sub], { controls }).dates).toBe(dates);
  });

  test('of an authority in between count, those of the trusted end do not', async () => {
    const sub = await oldSub();
    const leaf = await w.leaf(sub);
    expect(open([leaf, sub, genuine.root]).dates).toBe('expired');
    const trust = { ...w.trust, pins: [pinOf(sub)] };
    expect(open([leaf, sub, genuine.root], { trust }).dates).toBe('valid');
  });

  test('of a leaf that is trusted itself count', async () => {
    const leaf = await w.leaf(w.ownRoot, old);
    const trust = { ...w.trust, pins: [pinOf(leaf, 'configured')] };
    expect(open([leaf], { trust }).dates).toBe('expired');
  });
});

describe('the gap', () => {
  const elsewhere = { ...PUBLIC, references: reference('address', w.publicServer, w.public.sub) };

  test('is an intermediate that another path showed, and this one did not', () => {
    expect(open([w.publicServer], elsewhere).gap?.fingerprint).toBe(w.public.sub.fingerprint);
  });

  test.each<readonly [string, Sent, Partial<TlsEvidence>]>([
    ['the chain is whole', [w.publicServer, w.public.sub], elsewhere],
    ['the chain is whole, in another order', [w.publicServer, w.public.root, w.public.sub], elsewhere],
    ['only the trusted end was not sent', [server], { references: reference('address', server, genuine.sub) }],
    ['nothing is known of it', [w.publicServer], PUBLIC],
  ])('is none where %s', (_, sent, seen) => {
    expect(open(sent, seen).gap).toBeNull();
  });
});
