import { describe, expect, test } from 'vitest';
import type { CloserLook } from '../../src/core/observation.ts';
import type { TlsEvidence } from '../../src/checks/tls-genuine/chain-case.ts';
import { judgeTls } from '../../src/checks/tls-genuine/verdict.ts';
import { established, failed } from '../support/certificates/chains.ts';
import { createWorld } from '../support/certificates/interception-world.ts';
import { toldOf } from '../support/checks/told-of.ts';
import { expectRecorded } from './recorded.ts';

const { evidence, server, genuine } = await createWorld();
const RESET = failed({ reason: 'reset', durationMs: 40 });
const SILENCE = failed({ reason: 'timeout', durationMs: 4000 });
const EARLY_SILENCE = failed({ reason: 'timeout', durationMs: 2 });
const ALERT = failed({ reason: 'tls', alert: 'handshake_failure' });
const PASSES = established(server, genuine.sub);
const NOTHING: CloserLook = { address: '173.243.138.84', again: null, otherName: null, refusable: null, controls: [] };
const page = (plaintext: string): Partial<TlsEvidence> => ({ outcome: failed({ reason: 'protocol', plaintext }) });
const looked = (outcome: TlsEvidence['outcome'], closer: Partial<CloserLook>): Partial<TlsEvidence> => ({
  outcome,
  closer: { ...NOTHING, ...closer },
  roundTrip: 20,
});

/** Ways in which a handshake without a certificate can end, and the additional results of a closer look. */
const CASES: Readonly<Record<string, Partial<TlsEvidence>>> = {
  reset: { outcome: RESET },
  closed: { outcome: failed({ reason: 'closed' }) },
  silence: { outcome: SILENCE },
  'an answer that trickles in': { outcome: failed({ reason: 'timeout', durationMs: 4000, receivedBytes: 37 }) },
  'one byte of an answer': { outcome: failed({ reason: 'timeout', durationMs: 4000, receivedBytes: 1 }) },
  'a reset in the middle of an answer': { outcome: failed({ reason: 'reset', receivedBytes: 37 }) },
  'an alert': { outcome: ALERT },
  rejected: { outcome: failed({ reason: 'rejected', message: 'the proxy says 403' }) },
  'another failure': { outcome: failed({ reason: 'tls', message: 'wrong version number' }) },
  'our own trouble': { outcome: failed({ reason: 'internal', message: 'out of \u001B[31msockets' }) },
  'text that is no block page': page('SSH-2.0-OpenSSH_9.9'),
  'the block page of a product': page('HTTP/1.1 403 Forbidden\r\n\r\nWeb Page Blocked by FortiGuard'),
  'a product that does not say that it blocks': page('HTTP/1.1 200 OK\r\n\r\nFortiGuard'),
  'the block page of nobody known': page('HTTP/1.1 403 Forbidden'),
  'looked closer, and nothing found': looked(RESET, {}),
  'an early reset': looked(failed({ reason: 'reset', durationMs: 2 }), {}),
  'an early reset, round trip unknown': { outcome: failed({ reason: 'reset', durationMs: 2 }) },
  'silence, given up early': looked(EARLY_SILENCE, {}),
  'it comes and goes': looked(RESET, { again: PASSES }),
  'the same again': looked(RESET, { again: RESET }),
  'another name passes': looked(RESET, { otherName: { name: 'www.iana.org', outcome: PASSES } }),
  'no name passes': looked(RESET, { otherName: { name: null, outcome: PASSES } }),
  'another name is cut too': looked(RESET, { otherName: { name: 'www.iana.org', outcome: RESET } }),
  'large answers are lost': looked(SILENCE, {
    otherName: { name: 'www.iana.org', outcome: SILENCE },
    refusable: ALERT,
    controls: [SILENCE],
  }),
  'a small answer, and a cut': looked(RESET, { refusable: ALERT }),
  'one control host is cut': looked(RESET, { controls: [RESET] }),
  'three control hosts are cut': looked(RESET, { controls: [RESET, ALERT, RESET] }),
  'one control host of two is cut': looked(RESET, { controls: [RESET, PASSES] }),
};

describe('judgeTls() without a certificate', () => {
  test('says of every case what came, what a closer look adds, and who blocks', async () => {
    const told = Object.entries(CASES).map(([name, seen]) => [name, toldOf(judgeTls(evidence(seen)))] as const);
    await expectRecorded('blocks-told', Object.fromEntries(told));
  });

  test.each([
    'Access denied',
    'Access has been blocked',
    'Access is denied',
    'access was blocked',
    'Web page blocked',
    'webpage is blocked',
    'This site is blocked by your administrator',
    'Forbidden',
    'URL filter',
    'content filter',
    'Captive Portal',
  ])('takes "%s" for a block page', (text) => {
    const { findings, confidence } = judgeTls(evidence(page(`HTTP/1.1 200 OK\r\n\r\n<h1>${text}</h1>`)));
    expect(findings.map(({ rule }) => rule)).toEqual(['tls-handshake-answered', 'no-block-page']);
    expect(confidence).toBe('confirmed');
  });
});
