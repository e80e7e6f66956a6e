import { describe, expect, test } from 'vitest';
import { judgeTls } from '../../../../src/core/interception/verdict.ts';
import { chainOf, failed } from '../../../support/chains.ts';
import { createCast } from '../../../support/verdict-cast.ts';
import { describeVerdicts, PINNED, PUBLIC, reference, sees, type VerdictRow } from '../../../support/verdict-rows.ts';

const w = await createCast();
const { genuine, server, leaf, leafFor, baseline, evidence, cleanControl, publicLeaf, publicServer, configured } = w;

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
    seen: { ...PUBLIC, ...sees(await leafFor('push.fortinet.com', genuine.sub), genuine.sub) },
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
    seen: { ...PUBLIC, ...sees(await leafFor('push.fortinet.com', w.public.otherRoot)), baseline: baseline(publicServer, w.public.sub) },
    verdict: 'vendor-ca-changed',
  },
];

const BLOCKED: readonly VerdictRow[] = [
  { name: 'reset', seen: { outcome: failed({ reason: 'reset' }) }, verdict: 'blocked', rule: 'tls-handshake-answered' },
  { name: 'silence', seen: { outcome: failed({ reason: 'timeout', durationMs: 5000 }) }, verdict: 'blocked' },
  { name: 'alert before any certificate', seen: { outcome: failed({ reason: 'tls', alert: 'handshake_failure' }) }, verdict: 'blocked' },
  {
    name: 'block page',
    seen: {
      outcome: failed({ reason: 'protocol', plaintext: 'HTTP/1.1 403 Forbidden\r\n\r\n<title>Web Page Blocked</title> FortiGuard' }),
    },
    verdict: 'blocked',
    product: 'Fortinet FortiGate',
    rule: 'no-block-page',
  },
  {
    name: 'reset before a round trip',
    seen: { outcome: failed({ reason: 'reset', durationMs: 2 }), tcpMs: 20 },
    verdict: 'blocked',
    rule: 'reset-takes-a-round-trip',
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
describeVerdicts('a connection without a certificate', BLOCKED, evidence);

describe('judgeTls() on a connection without a certificate', () => {
  test.each([
    { name: 'a plain reset', outcome: failed({ reason: 'reset' }), confidence: 'suspected' },
    { name: 'a reset before a round trip', outcome: failed({ reason: 'reset', durationMs: 2 }), confidence: 'confirmed' },
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
