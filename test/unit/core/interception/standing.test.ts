import { describe, expect, test } from 'vitest';
import type { Certificate } from '../../../../src/core/certificate.ts';
import { createSignatureChecks } from '../../../../src/core/interception/signature-checks.ts';
import { findStanding, type Standing, type StandingOptions } from '../../../../src/core/interception/standing.ts';
import type { Trust } from '../../../../src/core/interception/trust.ts';
import { createIdentity, type Identity } from '../../../support/authority.ts';
import { anchorOf, certificateOf, pinOf } from '../../../support/chains.ts';
import { DAY_MS, HOST } from '../../../support/interception-world.ts';
import { createCast } from '../../../support/verdict-cast.ts';

const w = await createCast();
const { genuine, corporate, server, now } = w;
const MOZILLA = "one of Mozilla's roots";
const LEARNED = 'the learned baseline';

interface Seen extends Partial<Omit<StandingOptions, 'helpers'>> {
  readonly sent: readonly [Identity, ...Identity[]];
  readonly helpers?: readonly Identity[];
}

function stand({ sent: [leaf, ...rest], helpers = [], ...over }: Seen): Standing {
  return findStanding([certificateOf(leaf), ...rest.map(certificateOf)], {
    profile: 'fortinet',
    trust: w.trust,
    baseline: null,
    host: HOST,
    now,
    checks: createSignatureChecks(),
    ...over,
    helpers: helpers.map(certificateOf),
  });
}

const prints = (certificates: readonly Pick<Certificate, 'fingerprint'>[]): readonly string[] =>
  certificates.map(({ fingerprint }) => fingerprint);
const under = (trust: Partial<Trust>): Trust => ({ ...w.trust, ...trust });
const weak = await w.leaf(genuine.sub, { key: 'RSA-1024' });
const weakPublic = await w.leaf(w.public.sub, { key: 'RSA-1024' });
const forged = await w.leaf(w.copied.sub);
const nameless = await createIdentity({ name: '', issuer: { ...corporate.root, name: '' }, dnsNames: [HOST] });

const namelessRoot = await createIdentity({ name: '', authority: true });
const fakeRoot = await createIdentity({ name: w.public.root.name, authority: true });
const byFakeRoot = await w.leaf(fakeRoot);
const namesakes = await Promise.all(
  [1, 2, 3].map(() => createIdentity({ name: genuine.sub.name, authority: true, issuer: corporate.root })),
);

interface Row {
  readonly what: string;
  readonly seen: Seen;
  readonly kind: Standing['kind'];
  readonly path: readonly Identity[];
  readonly label: string | null;
  readonly configured?: Identity;
}

describe('where a chain ends', () => {
  test.each<Row>([
    {
      what: 'at the nearest trusted key',
      seen: { sent: [server, genuine.sub, genuine.root] },
      kind: 'trusted',
      path: [server, genuine.sub],
      label: genuine.sub.name,
      configured: genuine.sub,
    },
    {
      what: 'at a certificate that is held and was not sent',
      seen: { sent: [server], trust: under({ pins: [], anchors: [anchorOf(genuine.sub)] }) },
      kind: 'trusted',
      path: [server, genuine.sub],
      label: genuine.sub.name,
      configured: genuine.sub,
    },
    {
      what: 'at what was learned',
      seen: { sent: [w.byCorporateSub, corporate.sub], baseline: w.baseline(server, corporate.sub) },
      kind: 'trusted',
      path: [w.byCorporateSub, corporate.sub],
      label: LEARNED,
    },
    {
      what: 'at what was learned and is configured: in the words of the administrator',
      seen: { sent: [server, genuine.sub], baseline: w.baseline(server, genuine.sub) },
      kind: 'trusted',
      path: [server],
      label: LEARNED,
      configured: genuine.sub,
    },
    {
      what: 'at what was learned, below a key that is configured',
      seen: {
        sent: [server, genuine.sub, genuine.root],
        baseline: w.baseline(w.otherNode, genuine.sub),
        trust: under({ pins: [pinOf(genuine.root)] }),
      },
      kind: 'trusted',
      path: [server, genuine.sub],
      label: LEARNED,
      configured: genuine.root,
    },
    {
      what: 'at a public root',
      seen: { sent: [w.publicLeaf, w.public.sub] },
      kind: 'public',
      path: [w.publicLeaf, w.public.sub, w.public.root],
      label: MOZILLA,
    },
    {
      what: 'at a public root that answers as if it were a server',
      seen: { sent: [w.public.root] },
      kind: 'foreign',
      path: [w.public.root],
      label: null,
    },
    {
      what: "at Fortinet's key, which the profile does not take",
      seen: { sent: [server, genuine.sub], profile: 'public' },
      kind: 'vendor',
      path: [server, genuine.sub],
      label: genuine.sub.name,
    },
    {
      what: 'at a trusted key, over a weak one',
      seen: { sent: [weak, genuine.sub] },
      kind: 'weak',
      path: [weak, genuine.sub],
      label: genuine.sub.name,
    },
    {
      what: 'at a public root, over a weak key',
      seen: { sent: [weakPublic, w.public.sub] },
      kind: 'weak',
      path: [weakPublic, w.public.sub, w.public.root],
      label: MOZILLA,
    },
    {
      what: 'at a root of its own',
      seen: { sent: [w.byCorporateSub, corporate.sub, corporate.root] },
      kind: 'foreign',
      path: [w.byCorporateSub, corporate.sub, corporate.root],
      label: null,
    },
    {
      what: 'at an authority that was not sent',
      seen: { sent: [w.byCorporateSub, corporate.sub] },
      kind: 'incomplete',
      path: [w.byCorporateSub, corporate.sub],
      label: null,
    },
    {
      what: 'at an authority that only another path showed',
      seen: { sent: [w.byCorporateSub], helpers: [corporate.sub] },
      kind: 'incomplete',
      path: [w.byCorporateSub, corporate.sub],
      label: null,
    },
    { what: 'at nobody', seen: { sent: [nameless] }, kind: 'incomplete', path: [nameless], label: null },
    {
      what: 'at a name whose certificate is held, and has not signed',
      seen: { sent: [forged], trust: under({ pins: [], anchors: [anchorOf(genuine.sub)] }) },
      kind: 'forged',
      path: [forged],
      label: null,
    },
    {
      what: 'at a name that was learned, and has not signed',
      seen: { sent: [forged], baseline: w.baseline(server, genuine.sub) },
      kind: 'forged',
      path: [forged],
      label: null,
    },
    {
      what: 'at a name that is sent along, leads to a trusted key, and has not signed',
      seen: { sent: [forged, genuine.sub, genuine.root], trust: under({ pins: [pinOf(genuine.root)] }) },
      kind: 'forged',
      path: [forged],
      label: null,
    },
    {
      what: 'at a name that is sent along, leads nowhere, and has not signed',
      seen: { sent: [forged, genuine.sub], trust: under({ pins: [] }) },
      kind: 'incomplete',
      path: [forged],
      label: null,
    },
    {
      what: 'at a name whose certificate is held, above what was signed',
      seen: { sent: [forged, w.copied.sub], trust: under({ pins: [], anchors: [anchorOf(genuine.sub)] }) },
      kind: 'incomplete',
      path: [forged, w.copied.sub],
      label: null,
    },
    {
      what: 'at a company, beside a trusted authority that has nothing to do with it',
      seen: { sent: [w.byCorporateSub, genuine.sub] },
      kind: 'incomplete',
      path: [w.byCorporateSub],
      label: null,
    },
    {
      what: 'at a company, where another authority is held',
      seen: { sent: [w.byCorporateSub], trust: under({ pins: [], anchors: [anchorOf(genuine.sub)] }) },
      kind: 'incomplete',
      path: [w.byCorporateSub],
      label: null,
    },
    {
      what: 'at nobody, where an authority without a name is held',
      seen: { sent: [nameless], trust: under({ pins: [], anchors: [anchorOf(namelessRoot)] }) },
      kind: 'incomplete',
      path: [nameless],
      label: null,
    },
    {
      what: "at a root with a public one's name and its own key",
      seen: { sent: [byFakeRoot, fakeRoot] },
      kind: 'foreign',
      path: [byFakeRoot, fakeRoot],
      label: null,
    },
    {
      what: 'at a name of which more are sent along than are asked',
      seen: {
        sent: [forged, ...namesakes, genuine.sub, genuine.root],
        trust: under({ pins: [pinOf(genuine.root)] }),
      },
      kind: 'incomplete',
      path: [forged],
      label: null,
    },
    {
      what: 'at a name that may belong to a key of which only the hash is known',
      seen: {
        sent: [forged],
        trust: under({ pins: [pinOf(w.ownRoot, 'configured')], anchors: [anchorOf(genuine.sub)] }),
      },
      kind: 'incomplete',
      path: [forged],
      label: null,
    },
  ])('$kind: $what', ({ seen, kind, path, label, configured }) => {
    const standing = stand(seen);
    expect({ ...standing, path: prints(standing.path), authorities: [] }).toEqual({
      kind,
      path: prints(path),
      label,
      configured: configured?.pin ?? null,
      authorities: [],
    });
  });
});

test('the authorities are those above the leaf, also above where it ends', () => {
  const { authorities } = stand({ sent: [server, genuine.sub, genuine.root, corporate.root] });
  expect(prints(authorities)).toEqual(prints([genuine.sub, genuine.root]));
});

describe('of two certificates of one key', () => {
  const copy = (from: number, to: number): Promise<Identity> =>
    createIdentity({
      name: genuine.otherSub.name,
      keys: genuine.otherSub.keys,
      issuer: genuine.root,
      authority: true,
      notBefore: new Date(from),
      notAfter: new Date(to),
    });

  test.each([
    ['expired', now - 9 * DAY_MS, now - DAY_MS],
    ['not yet valid', now + DAY_MS, now + 9 * DAY_MS],
  ])('the path takes the one that is not %s', async (_, from, to) => {
    const [other, current] = [await copy(from, to), await copy(now - DAY_MS, now + DAY_MS)];
    const leaf = await w.leaf(genuine.otherSub);
    const { path } = stand({ sent: [leaf, other, current, genuine.root] });
    expect(prints(path)).toEqual(prints([leaf, current, genuine.root]));
  });

  test('the first and the last moment count as valid', async () => {
    const [first, second] = [await copy(now - 9 * DAY_MS, now), await copy(now, now + 9 * DAY_MS)];
    const leaf = await w.leaf(genuine.otherSub);
    const at = certificateOf(second).notBefore;
    expect(certificateOf(first).notAfter).toBe(at);
    for (const [one, other] of [
      [first, second],
      [second, first],
    ] as const) {
      const { path } = stand({ sent: [leaf, one, other, genuine.root], now: at });
      expect(prints(path)).toEqual(prints([leaf, one, genuine.root]));
    }
  });
});
