import { describe, expect, test } from 'vitest';
import type { ChainTrust } from '../../../../src/tls/chain.ts';
import type { Trust } from '../../../../src/tls/trust.ts';
import { createIdentity, type Identity } from '../../../../src/demo/lab/identity.ts';
import { anchorOf, pinOf } from '../../../support/certificates/chains.ts';
import { HOST } from '../../../support/certificates/interception-world.ts';
import { prints, type SentChain, standingIn } from './standing-in.ts';
import { createCast } from '../../../support/certificates/verdict-cast.ts';

const w = await createCast();
const { genuine, corporate, server } = w;
const MOZILLA = "one of Mozilla's roots";
const LEARNED = 'the learned baseline';

const stand = (seen: SentChain): ChainTrust => standingIn(w, seen);
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
  readonly seen: SentChain;
  readonly kind: ChainTrust['kind'];
  readonly path: readonly Identity[];
  readonly label: string | null;
}

describe('where a chain ends', () => {
  test.each<Row>([
    {
      what: 'at the nearest trusted key',
      seen: { sent: [server, genuine.sub, genuine.root] },
      kind: 'trusted',
      path: [server, genuine.sub],
      label: genuine.sub.name,
    },
    {
      what: 'at a certificate that is held and was not sent',
      seen: { sent: [server], trust: under({ pins: [], anchors: [anchorOf(genuine.sub)] }) },
      kind: 'trusted',
      path: [server, genuine.sub],
      label: genuine.sub.name,
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
  ])('$kind: $what', ({ seen, kind, path, label }) => {
    const standing = stand(seen);
    expect({ ...standing, path: prints(standing.path), authorities: [] }).toEqual({
      kind,
      path: prints(path),
      label,
      authorities: [],
    });
  });
});
