import { describe, expect, test } from 'vitest';
import type { TlsEvidence } from '../../../../src/checks/tls-genuine/chain-case.ts';
import { judgeTls } from '../../../../src/checks/tls-genuine/verdict.ts';
import { anchorOf, chainOf, failed, pinOf } from '../../../support/certificates/chains.ts';
import { createCast } from '../../../support/certificates/verdict-cast.ts';
import {
  describeVerdicts,
  HOUR_MS,
  PINNED,
  PUBLIC,
  reference,
  sees,
  type VerdictRow,
} from '../../../support/certificates/verdict-rows.ts';

const w = await createCast();
const {
  genuine,
  server,
  trust,
  now,
  leaf,
  leafFor,
  baseline,
  evidence,
  control,
  cleanControl,
  newRoot,
  newSub,
  byNewSub,
} = w;
const { publicLeaf, publicServer, configured } = w;

const vendorService = await leafFor('push.fortinet.com', genuine.sub);

const CHANGED: readonly VerdictRow[] = [
  {
    name: 'public authority under the profile fortinet',
    seen: sees(publicLeaf, w.public.sub),
    verdict: 'vendor-ca-changed',
    rule: 'chain-verifies-under-pin',
  },
  {
    name: 'public authority under the profile pinned',
    seen: { ...PINNED, ...sees(publicLeaf, w.public.sub), trust: configured },
    verdict: 'vendor-ca-changed',
  },
  {
    name: 'Fortinet authority under the profile public',
    seen: { ...PUBLIC, ...sees(vendorService, genuine.sub) },
    verdict: 'vendor-ca-changed',
  },
  {
    name: 'trusted authority, but not the learned one',
    seen: { ...sees(server, genuine.sub), baseline: baseline(await leaf(genuine.older), genuine.older) },
    verdict: 'vendor-ca-changed',
    rule: 'authority-as-learned',
  },
  {
    name: 'public authority, private one with another server name',
    seen: { ...sees(publicLeaf, w.public.sub), references: reference('server-name', server, genuine.sub) },
    verdict: 'vendor-ca-changed',
  },
  {
    name: 'public authority, control host behind the same one',
    seen: { ...sees(publicLeaf, w.public.sub), controls: [cleanControl] },
    verdict: 'vendor-ca-changed',
  },
  {
    name: 'public: another company than learned',
    seen: {
      ...PUBLIC,
      ...sees(await leafFor('push.fortinet.com', w.public.otherRoot)),
      baseline: baseline(publicServer, w.public.sub),
    },
    verdict: 'vendor-ca-changed',
  },
];

const NEW_AUTHORITY: readonly VerdictRow[] = [
  {
    name: 'new sub-authority whose root is not sent',
    seen: sees(byNewSub, newSub),
    verdict: 'vendor-ca-changed',
    rule: 'chain-verifies-under-pin',
  },
  {
    name: 'the same, made an hour ago',
    seen: sees(await leaf(newSub, { notBefore: new Date(now - HOUR_MS) }), newSub),
    verdict: 'vendor-ca-changed',
  },
  {
    name: 'the same, control host clean',
    seen: { ...sees(byNewSub, newSub), controls: [cleanControl] },
    verdict: 'vendor-ca-changed',
  },
  {
    name: "the same, a host of the vendor's own under the same authority",
    seen: { ...sees(byNewSub, newSub), controls: [await control('directregistration.fortinet.com', newSub)] },
    verdict: 'vendor-ca-changed',
  },
  { name: 'missing intermediate', seen: sees(await leaf(genuine.otherSub)), verdict: 'vendor-ca-changed' },
  {
    name: 'a pin may be the key of the issuer that was not sent',
    seen: {
      ...sees(await leaf({ ...genuine.root, keys: newRoot.keys })),
      trust: { ...trust, anchors: [anchorOf(genuine.root)], pins: [pinOf(newRoot, 'configured')] },
    },
    verdict: 'vendor-ca-changed',
  },
  { name: 'new root of the vendor, sent along', seen: sees(byNewSub, newSub, newRoot), verdict: 'vendor-ca-changed' },
  {
    name: 'the same, for a name that is not published',
    seen: sees(await leafFor('globalftm.example.net', newSub), newSub),
    verdict: 'vendor-ca-changed',
    rule: 'certificate-names-the-server',
  },
  {
    name: 'the same, another authority learned',
    seen: { ...sees(byNewSub, newSub), baseline: baseline(server, genuine.sub) },
    verdict: 'vendor-ca-changed',
  },
  {
    name: 'the same, another of its addresses still as before',
    seen: { ...sees(byNewSub, newSub), references: reference('address', server, genuine.sub) },
    verdict: 'vendor-ca-changed',
  },
  {
    name: 'the same, the genuine key with another server name',
    seen: { ...sees(byNewSub, newSub), references: reference('server-name', server, genuine.sub) },
    verdict: 'vendor-ca-changed',
  },
];

const BLOCKED: readonly VerdictRow[] = [
  { name: 'reset', seen: { outcome: failed({ reason: 'reset' }) }, verdict: 'blocked', rule: 'tls-handshake-answered' },
  { name: 'silence', seen: { outcome: failed({ reason: 'timeout', durationMs: 5000 }) }, verdict: 'blocked' },
  {
    name: 'alert before any certificate',
    seen: { outcome: failed({ reason: 'tls', alert: 'handshake_failure' }) },
    verdict: 'blocked',
  },
  {
    name: 'block page',
    seen: {
      outcome: failed({
        reason: 'protocol',
        plaintext: 'HTTP/1.1 403 Forbidden\r\n\r\n<title>Web Page Blocked</title> FortiGuard',
      }),
    },
    verdict: 'blocked',
    product: 'Fortinet FortiGate',
    rule: 'no-block-page',
  },
  {
    name: 'cut after the genuine certificate',
    seen: { outcome: failed({ reason: 'reset', chain: chainOf(server, genuine.sub) }) },
    verdict: 'blocked',
  },
  {
    name: 'cut after a public certificate',
    seen: { outcome: failed({ reason: 'closed', chain: chainOf(publicLeaf, w.public.sub) }) },
    verdict: 'blocked',
  },
];

describeVerdicts('another authority', CHANGED, evidence);
describeVerdicts('a new authority of the vendor', NEW_AUTHORITY, evidence);
describeVerdicts('a connection without a certificate', BLOCKED, evidence);

describe('judgeTls() on a new authority of the vendor', () => {
  test.each(NEW_AUTHORITY)('warns, suspected, and leaves the precondition unknown: $name', ({ seen }) => {
    const { confidence, findings, wouldSettle } = judgeTls(evidence(seen));
    const suggesting = findings.filter(({ suggests }) => suggests !== null);
    expect(confidence).toBe('suspected');
    expect(new Set(suggesting.map((finding) => `${finding.level} ${String(finding.confidence)}`))).toEqual(
      new Set(['warning suspected']),
    );
    expect(findings.filter(({ level }) => level === 'unknown').map(({ rule }) => rule)).toEqual(['authority-is-known']);
    expect(wouldSettle).toMatch(/\w{3}/u);
  });

  test('names the authority, and from where it may be trusted', () => {
    const { wouldSettle, summary, findings } = judgeTls(evidence(sees(byNewSub, newSub)));
    expect(summary).toContain('fortinet-ca3');
    expect(wouldSettle).toContain('fortinet-ca3');
    expect(wouldSettle).toContain('from a FortiGate with current firmware');
    expect(findings[0]?.kind).toBe('unknown-authority');
  });
});

describe('judgeTls() on an authority that FortiAuthenticator may not accept', () => {
  test.each<readonly [string, Partial<TlsEvidence>, readonly string[]]>([
    ['a public one', sees(publicLeaf, w.public.sub), ['authority-is-accepted']],
    ['a public one that was not sent', sees(publicLeaf), ['authority-is-accepted']],
    ['an unknown one', sees(byNewSub, newSub), ['authority-is-known']],
    ['a public one, with the profile public', { ...PUBLIC, ...sees(publicServer, w.public.sub) }, []],
    ['a public one that was not sent, with the profile public', { ...PUBLIC, ...sees(publicServer) }, []],
    [
      'a public one that was learned',
      { ...sees(publicLeaf, w.public.sub), baseline: baseline(publicLeaf, w.public.sub) },
      [],
    ],
    ["Fortinet's, with the profile public", { ...PUBLIC, ...sees(vendorService, genuine.sub) }, []],
  ])('is unknown for %s', (_, seen, expected) => {
    const { findings } = judgeTls(evidence(seen));
    expect(findings.filter(({ level }) => level === 'unknown').map(({ rule }) => rule)).toEqual(expected);
  });
});

describe('judgeTls() on a connection without a certificate', () => {
  test.each([
    { name: 'a plain reset', outcome: failed({ reason: 'reset' }), confidence: 'suspected' },
    {
      name: 'a reset at once, with the round trip unknown',
      outcome: failed({ reason: 'reset', durationMs: 2 }),
      confidence: 'suspected',
    },
    { name: 'silence', outcome: failed({ reason: 'timeout', durationMs: 5000 }), confidence: 'suspected' },
    {
      name: 'plain text that is no block page',
      outcome: failed({ reason: 'protocol', plaintext: 'SSH-2.0-OpenSSH_9.9' }),
      confidence: 'suspected',
    },
    {
      name: 'an unknown block page',
      outcome: failed({ reason: 'protocol', plaintext: 'HTTP/1.1 403 Access denied' }),
      confidence: 'confirmed',
    },
  ])('is $confidence after $name', ({ outcome, confidence }) => {
    expect(judgeTls(evidence({ outcome })).confidence).toBe(confidence);
  });
});
