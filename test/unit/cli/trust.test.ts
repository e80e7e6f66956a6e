import { describe, expect, test } from 'vitest';
import { learnFromOutside, renderTrust, trustLearn } from '../../../src/cli/run-trust.ts';
import type { Clock } from '../../../src/core/clock.ts';
import type { OutsideView } from '../../../src/core/outside.ts';
import type { Baseline, PinnedCertificate } from '../../../src/tls/trust.ts';
import type { TlsEvidence } from '../../../src/checks/tls-genuine/chain-case.ts';
import { anchorOf, chainOf, failed, pinOf } from '../../support/certificates/chains.ts';
import { TARGET } from '../../support/certificates/interception-world.ts';
import { createCast } from '../../support/certificates/verdict-cast.ts';
import { sees } from '../../support/certificates/verdict-rows.ts';

type TrustLearnOptions = Parameters<typeof trustLearn>[0];

const w = await createCast();
const clock: Clock = { now: () => w.now, elapsed: () => 0, after: () => () => {} };

interface Learned {
  readonly code: number;
  readonly saved: readonly Baseline[];
  readonly text: string;
  readonly asked: readonly string[];
}

async function learn(
  seen: readonly Partial<TlsEvidence>[],
  over: Partial<TrustLearnOptions> & { readonly answer?: boolean } = {},
): Promise<Learned> {
  const [saved, asked, text]: [Baseline[], string[], string[]] = [[], [], []];
  const code = await trustLearn({
    target: TARGET,
    capture: () =>
      Promise.resolve(
        seen.map((one, index) => ({ address: `192.0.2.${String(index + 1)}`, evidence: w.evidence(one) })),
      ),
    ask: (question) => {
      asked.push(question);
      return Promise.resolve((over.answer ?? true) ? 'Yes ' : '');
    },
    yes: false,
    fingerprints: [],
    save: (baseline) => {
      saved.push(baseline);
      return Promise.resolve();
    },
    output: { write: (part) => text.push(part) },
    clock,
    signal: new AbortController().signal,
    ...over,
  });
  return { code, saved, asked, text: text.join('') };
}

/** Scripts depend on these exit codes. */
const LEARN_EXIT = { learned: 0, declined: 1, refused: 2, nothingSeen: 3 };

describe('trustLearn()', () => {
  test('asks, then saves the leaf and the authorities above it', async () => {
    const { code, saved, asked, text } = await learn([{}]);
    expect(code).toBe(LEARN_EXIT.learned);
    expect(asked).toHaveLength(1);
    expect(saved[0]?.leaves.map(({ pin }) => pin)).toEqual([w.server.pin]);
    expect(saved[0]?.authorities.map(({ pin }) => pin)).toEqual([w.genuine.sub.pin, w.genuine.root.pin]);
    expect(saved[0]).toMatchObject({ target: TARGET, learnedAt: w.now, protocol: 'TLSv1.3' });
    expect(text).toContain(w.server.fingerprint);
    expect(text).toContain('192.0.2.1');
  });

  test('learns every node behind the name', async () => {
    const { saved } = await learn([{}, sees(w.otherNode, w.genuine.sub)], { yes: true });
    expect(saved[0]?.leaves.map(({ pin }) => pin)).toEqual([w.server.pin, w.otherNode.pin]);
  });

  test.each([
    ['nothing confirms', null],
    ['only a pin confirms', { fingerprint: w.byNewSub.fingerprint, learnedAt: w.now, seenBy: '3 other networks' }],
  ])('learns a chain that %s, once the fingerprint of what it rests on is typed', async (_, pinned) => {
    const seen = [{ ...sees(w.byNewSub, w.newSub), pinned }];
    expect((await learn(seen, { yes: true })).code).toBe(LEARN_EXIT.refused);
    const { code, saved } = await learn(seen, { yes: true, fingerprints: [w.newSub.fingerprint] });
    expect(code).toBe(LEARN_EXIT.learned);
    expect(saved[0]?.authorities.map(({ pin }) => pin)).toEqual([w.newSub.pin]);
    expect(saved[0]?.accepted).toEqual([w.newSub.fingerprint]);
  });

  test.each([
    {
      name: "a company's sub-authority without its root",
      seen: sees(w.byCorporateSub, w.corporate.sub),
      rests: w.corporate.sub,
    },
    {
      name: 'the whole chain of a company',
      seen: sees(w.byCorporateSub, w.corporate.sub, w.corporate.root),
      rests: w.corporate.root,
    },
    { name: "an authority with the vendor's name", seen: sees(w.byNewSub, w.newSub), rests: w.newSub },
    { name: 'a leaf alone', seen: sees(w.byNewSub), rests: w.byNewSub },
    { name: 'a leaf that signed itself', seen: sees(w.selfSigned), rests: w.selfSigned },
  ])('does not learn $name by --yes, and says what to compare and what to type', async ({ seen, rests }) => {
    const refused = await learn([seen], { yes: true });
    expect({ code: refused.code, saved: refused.saved }).toEqual({ code: LEARN_EXIT.refused, saved: [] });
    expect(refused.text.lastIndexOf(rests.fingerprint)).toBeGreaterThan(refused.text.indexOf('Nothing learned'));
    const typed = await learn([seen], { yes: true, fingerprints: [rests.fingerprint] });
    expect({ code: typed.code, accepted: typed.saved[0]?.accepted }).toEqual({
      code: LEARN_EXIT.learned,
      accepted: [rests.fingerprint],
    });
  });

  test('takes the fingerprint of what the chain rests on, no other one of it', async () => {
    const { code } = await learn([sees(w.byCorporateSub, w.corporate.sub)], {
      yes: true,
      fingerprints: [w.byCorporateSub.fingerprint],
    });
    expect(code).toBe(LEARN_EXIT.refused);
  });

  test('one typed fingerprint does not confirm another address', async () => {
    const seen = [sees(w.byNewSub, w.newSub), sees(w.byCorporateSub, w.corporate.sub)];
    expect((await learn(seen, { yes: true, fingerprints: [w.newSub.fingerprint] })).code).toBe(LEARN_EXIT.refused);
    const both = await learn(seen, { yes: true, fingerprints: [w.newSub.fingerprint, w.corporate.sub.fingerprint] });
    expect(both.code).toBe(LEARN_EXIT.learned);
  });

  test('refuses when the typed fingerprint is not seen, also where the chain needs none', async () => {
    const { code, text } = await learn([{}], { yes: true, fingerprints: [w.corporate.root.fingerprint] });
    expect(code).toBe(LEARN_EXIT.refused);
    expect(text).toContain(w.corporate.root.fingerprint);
  });

  test('a typed fingerprint does not outweigh the evidence of an interception', async () => {
    const { code, text } = await learn([sees(w.byFortigate, w.fortigate)], {
      yes: true,
      fingerprints: [w.fortigate.fingerprint],
    });
    expect(code).toBe(LEARN_EXIT.refused);
    expect(text).not.toContain('--fingerprint');
  });

  test('asks nothing of a chain under a public authority, or under another profile', async () => {
    expect((await learn([sees(w.publicLeaf, w.public.sub)], { yes: true })).code).toBe(LEARN_EXIT.learned);
    const pinned = { ...sees(w.byNewSub, w.newSub), profile: 'pinned' as const, trust: { ...w.trust, pins: [] } };
    expect((await learn([pinned], { yes: true })).code).toBe(LEARN_EXIT.learned);
  });

  test('does not ask with --yes', async () => {
    expect((await learn([{}], { yes: true })).asked).toEqual([]);
  });

  test.each([
    { name: 'no was answered', over: { answer: false } },
    { name: 'nobody can be asked', over: { ask: null } },
  ])('saves nothing when $name', async ({ over }) => {
    const { code, saved } = await learn([{}], over);
    expect({ code, saved }).toEqual({ code: LEARN_EXIT.declined, saved: [] });
  });

  test.each([
    { name: 'an intercepted chain', seen: sees(w.byFortigate, w.fortigate) },
    { name: 'a device in its place', seen: sees(w.device, w.genuine.sub) },
    { name: 'a blocked connection', seen: { outcome: failed({ reason: 'reset' }) } },
  ])('refuses $name, even with --yes and a learned baseline', async ({ seen }) => {
    const baseline = w.baseline(w.byFortigate, w.fortigate);
    const { code, saved } = await learn([{}, { ...seen, baseline }], { yes: true });
    expect({ code, saved }).toEqual({ code: LEARN_EXIT.refused, saved: [] });
  });

  test.each([{ seen: [] }, { seen: [{ outcome: failed({ reason: 'internal' }) }] }])(
    'says that nothing was seen',
    async ({ seen }) => {
      const { code, saved } = await learn(seen, { yes: true });
      expect({ code, saved }).toEqual({ code: LEARN_EXIT.nothingSeen, saved: [] });
    },
  );

  test('passes the signal on to the capture', async () => {
    const signal = AbortSignal.abort(new Error('stopped'));
    const capture = (given: AbortSignal): Promise<never> => Promise.reject(given.reason as Error);
    await expect(learn([], { signal, capture })).rejects.toThrow('stopped');
  });
});

/** What probes in other networks receive. */
function receives(...fingerprints: readonly string[]): OutsideView {
  const results = fingerprints.map((fingerprint, asn) => ({
    asn,
    network: 'Network',
    country: 'DE',
    fingerprint,
    issuer: 'Issuer elsewhere',
    notAfter: w.now,
  }));
  const certificate = results.length === 0 ? null : { at: w.now, results, answer: null };
  return { certificate, reach: null, addresses: null, reachedAt: null, asking: [], trouble: null };
}

describe('learnFromOutside()', () => {
  const strange = sees(w.byCorporateSub, w.corporate.sub);
  const own = w.byCorporateSub.fingerprint;
  const other = w.server.fingerprint;

  async function learnOutside(
    seen: readonly Partial<TlsEvidence>[],
    view: OutsideView,
    answer = 'y',
  ): Promise<{ readonly code: number; readonly saved: readonly PinnedCertificate[]; readonly text: string }> {
    const [saved, text]: [PinnedCertificate[], string[]] = [[], []];
    const code = await learnFromOutside({
      target: TARGET,
      capture: () => Promise.resolve(seen.map((one) => ({ address: '192.0.2.1', evidence: w.evidence(one) }))),
      seen: Promise.resolve(view),
      ask: () => Promise.resolve(answer),
      yes: false,
      save: (pinned) => {
        saved.push(pinned);
        return Promise.resolve();
      },
      output: { write: (part) => text.push(part) },
      clock,
      signal: new AbortController().signal,
    });
    return { code, saved, text: text.join('') };
  }

  test('learns a certificate that nothing confirms, if three other networks receive it', async () => {
    const { code, saved, text } = await learnOutside([strange], receives(own, own, own));
    expect(code).toBe(LEARN_EXIT.learned);
    expect(saved).toEqual([{ fingerprint: own, learnedAt: w.now, seenBy: '3 other networks (DE)' }]);
    expect(text).toContain('Issuer elsewhere');
  });

  test.each([
    ['another certificate elsewhere', [strange], receives(other, other, other), LEARN_EXIT.refused],
    ['one of two addresses differs', [strange, {}], receives(own, own, own), LEARN_EXIT.refused],
    ['several certificates elsewhere', [strange], receives(own, own, other), LEARN_EXIT.refused],
    ['too few networks', [strange], receives(own, own), LEARN_EXIT.refused],
    [
      'a witness of an interception',
      [{ ...strange, traces: ['x-mwg-via'] }],
      receives(own, own, own),
      LEARN_EXIT.refused,
    ],
    ['no answer from others', [strange], receives(), LEARN_EXIT.nothingSeen],
    ['no certificate here', [], receives(own, own, own), LEARN_EXIT.nothingSeen],
  ] as const)('learns nothing: %s', async (_, seen, view, expected) => {
    const { code, saved } = await learnOutside(seen, view);
    expect({ code, saved }).toEqual({ code: expected, saved: [] });
  });

  test('learns nothing without a confirmation', async () => {
    const { code, saved } = await learnOutside([strange], receives(own, own, own), 'n');
    expect({ code, saved }).toEqual({ code: LEARN_EXIT.declined, saved: [] });
  });
});

describe('renderTrust()', () => {
  const show = (over: Partial<Parameters<typeof renderTrust>[0]>): string =>
    renderTrust({
      target: TARGET,
      profile: 'fortinet',
      trust: w.trust,
      baseline: null,
      refusedBaseline: null,
      baselineFile: 'trust.json',
      ...over,
    });

  test('tells the authorities, the pins and what was learned', () => {
    const trust = {
      ...w.trust,
      anchors: [anchorOf(w.genuine.root), anchorOf(w.ownRoot, 'configured')],
      pins: [pinOf(w.ownLeaf, 'configured')],
    };
    const text = show({ trust, baseline: w.baseline(w.server, w.genuine.sub) });
    for (const known of [
      w.genuine.root.fingerprint,
      w.ownRoot.fingerprint,
      w.ownLeaf.pin,
      w.server.fingerprint,
      'trust.json',
    ]) {
      expect(text).toContain(known);
    }
  });

  test('leaves out what the profile does not count', () => {
    const trust = { ...w.trust, anchors: [anchorOf(w.genuine.root)] };
    expect(show({ trust, profile: 'pinned' })).not.toContain(w.genuine.root.fingerprint);
  });

  test('shows no control character of a hostile name', () => {
    const [hostile] = chainOf(w.sharedDevice).certificates;
    expect(show({ baseline: { ...w.baseline(w.server), leaves: hostile === undefined ? [] : [hostile] } })).not.toMatch(
      /[^\P{Cc}\n]/u,
    );
  });
});
