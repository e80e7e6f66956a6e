import { describe, expect, test } from 'vitest';
import { renderTrust } from '../../../src/cli/trust-text.ts';
import { LEARN_EXIT, trustLearn, type TrustLearnOptions } from '../../../src/cli/trust.ts';
import type { Clock } from '../../../src/core/clock.ts';
import type { Baseline } from '../../../src/core/interception/baseline.ts';
import type { TlsEvidence } from '../../../src/core/interception/tls-evidence.ts';
import { anchorOf, chainOf, failed, pinOf } from '../../support/chains.ts';
import { TARGET } from '../../support/interception-world.ts';
import { createCast } from '../../support/verdict-cast.ts';
import { sees } from '../../support/verdict-rows.ts';

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
    capture: () => Promise.resolve(seen.map((one, index) => ({ address: `192.0.2.${String(index + 1)}`, evidence: w.evidence(one) }))),
    confirm: (question) => {
      asked.push(question);
      return Promise.resolve(over.answer ?? true);
    },
    yes: false,
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

  test('learns a chain that nothing vouches for yet: that is what it is for', async () => {
    const { code, saved } = await learn([sees(w.byNewSub, w.newSub)], { yes: true });
    expect(code).toBe(LEARN_EXIT.learned);
    expect(saved[0]?.authorities.map(({ pin }) => pin)).toEqual([w.newSub.pin]);
  });

  test('does not ask with --yes', async () => {
    expect((await learn([{}], { yes: true })).asked).toEqual([]);
  });

  test.each([
    { name: 'no was answered', over: { answer: false }, hint: 'Nothing learned' },
    { name: 'nobody can be asked', over: { confirm: null }, hint: '--yes' },
  ])('saves nothing when $name', async ({ over, hint }) => {
    const { code, saved, text } = await learn([{}], over);
    expect({ code, saved }).toEqual({ code: LEARN_EXIT.declined, saved: [] });
    expect(text).toContain(hint);
  });

  test.each([
    { name: 'an intercepted chain', seen: sees(w.byFortigate, w.fortigate), says: 'Fortinet FortiGate' },
    { name: 'a suspect chain', seen: sees(w.byCorporate, w.corporate.root), says: 'Acme Root CA' },
    { name: 'a device in its place', seen: sees(w.device, w.genuine.sub), says: 'factory certificate' },
    { name: 'a blocked connection', seen: { outcome: failed({ reason: 'reset' }) }, says: 'reset' },
  ])('refuses $name, even with --yes and a learned baseline', async ({ seen, says }) => {
    const { code, saved, text } = await learn([{}, { ...seen, baseline: w.baseline(w.byFortigate, w.fortigate) }], { yes: true });
    expect({ code, saved }).toEqual({ code: LEARN_EXIT.refused, saved: [] });
    expect(text).toContain(says);
    expect(text).toContain('Learn from another path');
  });

  test.each([{ seen: [] }, { seen: [{ outcome: failed({ reason: 'internal' }) }] }])('says that nothing was seen', async ({ seen }) => {
    const { code, saved } = await learn(seen, { yes: true });
    expect({ code, saved }).toEqual({ code: LEARN_EXIT.nothingSeen, saved: [] });
  });

  test('passes the signal on to the capture', async () => {
    const signal = AbortSignal.abort(new Error('stopped'));
    const capture = (given: AbortSignal): Promise<never> => Promise.reject(given.reason as Error);
    await expect(learn([], { signal, capture })).rejects.toThrow('stopped');
  });
});

describe('renderTrust()', () => {
  const show = (over: Partial<Parameters<typeof renderTrust>[0]>): string =>
    renderTrust({ target: TARGET, profile: 'fortinet', trust: w.trust, baseline: null, baselineFile: 'trust.json', ...over });

  test('tells the authorities, the pins and what was learned', () => {
    const trust = {
      ...w.trust,
      anchors: [anchorOf(w.genuine.root), anchorOf(w.ownRoot, 'configured')],
      pins: [pinOf(w.ownLeaf, 'configured')],
    };
    const text = show({ trust, baseline: w.baseline(w.server, w.genuine.sub) });
    for (const known of [w.genuine.root.fingerprint, w.ownRoot.fingerprint, w.ownLeaf.pin, w.server.fingerprint, 'trust.json']) {
      expect(text).toContain(known);
    }
  });

  test('leaves out what the profile does not count', () => {
    const trust = { ...w.trust, anchors: [anchorOf(w.genuine.root)] };
    expect(show({ trust, profile: 'pinned' })).not.toContain(w.genuine.root.fingerprint);
    expect(show({ trust, profile: 'public' })).toContain("Mozilla's roots");
  });

  test('says how to learn when nothing was', () => {
    expect(show({})).toContain('trust learn');
  });

  test('shows no control character of a hostile name', () => {
    const [hostile] = chainOf(w.sharedDevice).certificates;
    expect(show({ baseline: { ...w.baseline(w.server), leaves: hostile === undefined ? [] : [hostile] } })).not.toMatch(/[^\P{Cc}\n]/u);
  });
});
