import { describe, expect, test } from 'vitest';
import { openCase, type TlsEvidence } from '../../../../src/checks/tls-genuine/chain-case.ts';
import type { Signal } from '../../../../src/checks/tls-genuine/signals.ts';
import { createSignatureChecks } from '../../../../src/tls/chain.ts';
import type { Trust } from '../../../../src/tls/trust.ts';
import { gatherFacts } from '../../../../src/checks/tls-genuine/decide.ts';
import { createIdentity } from '../../../../src/demo/lab/identity.ts';
import { anchorOf, chainOf, established, failed, pinOf } from '../../../support/certificates/chains.ts';
import { createCast } from '../../../support/certificates/verdict-cast.ts';
import { PINNED, PUBLIC, sees } from '../../../support/certificates/verdict-rows.ts';

type VerdictFacts = ReturnType<typeof gatherFacts>;

const w = await createCast();
const { server, genuine } = w;

function facts(seen: Partial<TlsEvidence>, signals: readonly Signal[] = []): VerdictFacts {
  const evidence = w.evidence(seen);
  const [leaf, ...rest] = evidence.outcome.chain?.certificates ?? [];
  if (leaf === undefined) throw new Error('Expected a certificate');
  return gatherFacts(openCase([leaf, ...rest], evidence, createSignatureChecks()), signals);
}

describe('how the connection ended', () => {
  const chain = chainOf(server, genuine.sub);
  test.each([
    { outcome: established(server, genuine.sub), ended: 'handshake' },
    { outcome: failed({ chain, reason: 'reset' }), ended: 'cut' },
    { outcome: failed({ chain, reason: 'closed' }), ended: 'cut' },
    { outcome: failed({ chain, reason: 'timeout' }), ended: 'cut' },
    { outcome: failed({ chain, reason: 'protocol' }), ended: 'cut' },
    { outcome: failed({ chain, reason: 'closed', alert: 'handshake_failure' }), ended: 'alert' },
    // A local problem is not a cut.
    { outcome: failed({ chain, reason: 'aborted' }), ended: 'handshake' },
  ])('$outcome.kind, $outcome.reason, $outcome.alert: $ended', ({ outcome, ended }) => {
    expect(facts({ outcome }).ended).toBe(ended);
  });
});

describe('whether anything is trusted', () => {
  const none: Trust = { ...w.trust, pins: [], anchors: [] };
  const pin = pinOf(w.ownLeaf, 'configured');
  const anchor = anchorOf(w.ownRoot, 'configured');
  test.each<readonly [string, Partial<TlsEvidence>, boolean]>([
    ['nothing is configured', { trust: none }, false],
    ['only what is shipped', {}, false],
    ['a key', { trust: { ...none, pins: [pin] } }, true],
    ['a certificate', { trust: { ...none, anchors: [anchor] } }, true],
    ['a key and a certificate', { trust: { ...none, pins: [pin], anchors: [anchor] } }, true],
    ['a chain that was learned', { trust: none, baseline: w.baseline(server) }, true],
    ['nothing, but under a profile that brings its own', { profile: 'fortinet', trust: none }, true],
  ])('%s', (_, seen, trusting) => {
    expect(facts({ ...PINNED, ...seen }).trusting).toBe(trusting);
  });
});

describe('what was seen before', () => {
  const publicly = { ...PUBLIC, ...sees(w.publicServer, w.public.sub, w.public.root) };

  test.each([
    ['none', null],
    ['same-leaf', w.baseline(w.publicServer, w.public.root)],
    ['same-authority', w.baseline(w.otherPublicServer, w.public.sub)],
    ['other-authority', w.baseline(w.otherPublicServer, w.public.otherRoot)],
  ])('is %s', (history, baseline) => {
    expect(facts({ ...publicly, baseline }).baselineMatch).toBe(history);
  });

  test('counts another root of the same public organization as the same authority, whatever is below it', async () => {
    const oldRoot = await createIdentity({ name: 'C=US, O=Public Trust, CN=Root X0', authority: true });
    const ofOthers = await createIdentity({ name: 'O=Reseller, CN=R1', authority: true, issuer: w.public.root });
    const seen = sees(await w.leafFor('push.fortinet.com', ofOthers), ofOthers, w.public.root);
    const baseline = w.baseline(w.otherPublicServer, oldRoot);
    expect(facts({ ...PUBLIC, ...seen, baseline }).baselineMatch).toBe('same-authority');
    expect(facts({ ...PUBLIC, ...seen, baseline: w.baseline(w.otherPublicServer) }).baselineMatch).toBe(
      'other-authority',
    );
  });
});

describe('what speaks for an interception', () => {
  const signal = (weight: Signal['weight'], rule = 'some-rule'): Signal => ({
    rule,
    weight,
    claim: 'That was seen.',
    expected: 'this',
    actual: 'that',
  });
  const nothing = { witnessed: false, contradicted: false, hinted: false };
  test.each<readonly [string, readonly Signal[], Partial<VerdictFacts>]>([
    ['nothing', [], {}],
    ['a witness', [signal('witness')], { witnessed: true }],
    [
      'the genuine key elsewhere',
      [signal('witness', 'reference-path-agrees')],
      { witnessed: true, contradicted: true },
    ],
    ['a hint', [signal('hint')], { hinted: true }],
  ])('%s', (_, signals, found) => {
    expect(facts({}, signals)).toMatchObject({ ...nothing, ...found });
  });
});

test('a chain that is not accepted is not judged for its flaws', () => {
  expect(facts({ ...sees(w.byCorporate, w.corporate.root), knownFlaws: [] })).toMatchObject({
    accepted: false,
    flaw: 'none',
  });
});
