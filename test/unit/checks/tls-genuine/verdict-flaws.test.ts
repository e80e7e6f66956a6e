import { describe, expect, test } from 'vitest';
import type { TlsEvidence } from '../../../../src/checks/tls-genuine/chain-case.ts';
import { judgeTls } from '../../../../src/checks/tls-genuine/verdict.ts';
import type { Certificate } from '../../../../src/core/certificate.ts';
import { createIdentity } from '../../../../src/demo/lab/identity.ts';
import { certificateOf, failed, chainOf, handshake } from '../../../support/certificates/chains.ts';
import { HOUR_MS, PUBLIC, sees } from '../../../support/certificates/verdict-rows.ts';
import { createCast } from '../../../support/certificates/verdict-cast.ts';

const w = await createCast();
const { now, genuine } = w;

/** Returns the verdict, and the level of the findings about flaws. */
function judge(over: Partial<TlsEvidence>): readonly string[] {
  const { verdict, findings } = judgeTls(w.evidence(over));
  return [verdict, ...findings.filter(({ rule }) => rule === 'chain-has-no-flaw').map(({ level }) => level)];
}

const FLAWED = ['certificate-broken', 'warning'];

describe("OpenSSL's result", () => {
  const refused = (refusal: string): Partial<TlsEvidence> => ({
    outcome: handshake({ refusal }, w.server, genuine.sub),
  });

  test.each(['PATH_LENGTH_EXCEEDED', 'INVALID_PURPOSE', 'INVALID_CA', 'UNSPECIFIED'])('%s is a flaw', (code) => {
    expect(judge(refused(code))).toEqual(FLAWED);
  });

  test.each([
    'CERT_HAS_EXPIRED',
    'CERT_NOT_YET_VALID',
    'CERT_SIGNATURE_FAILURE',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  ])('%s is not, because other rules judge keys and dates', (code) => {
    expect(judge(refused(code))).toEqual(['genuine']);
  });

  test('does not count for a chain that leads to no trusted key', () => {
    const outcome = handshake({ refusal: 'PATH_LENGTH_EXCEEDED' }, w.byCorporate, w.corporate.root);
    expect(judge({ outcome })).toEqual(['interception-suspected']);
  });

  test('is unknown if the handshake failed after the certificate arrived', () => {
    expect(judge({ outcome: failed({ alert: 'handshake_failure', chain: chainOf(w.server, genuine.sub) }) })).toEqual([
      'genuine',
    ]);
  });
});

describe('the date of the trusted certificate', () => {
  const sub = certificateOf(genuine.sub);
  const valid = (from: number, to: number): Certificate => ({ ...sub, notBefore: now + from, notAfter: now + to });
  const [old, current, future] = [valid(-2, -1), valid(-HOUR_MS, HOUR_MS), valid(1, 2)];
  const held = (...certificates: readonly Certificate[]): Partial<TlsEvidence> => ({
    ...sees(w.server, genuine.sub),
    trust: {
      ...w.trust,
      pins: [],
      anchors: certificates.map((certificate) => ({ certificate, label: 'held', origin: 'configured' as const })),
    },
  });

  test.each<readonly [string, Partial<TlsEvidence>, readonly string[]]>([
    ['is past', held(old), FLAWED],
    ['is in the future', held(future), FLAWED],
    ['is past, as learned', { ...sees(w.otherNode, genuine.sub), baseline: learned(old) }, FLAWED],
    ['is valid until now', held(valid(-1, 0)), ['genuine']],
    ['is valid from now on', held(valid(0, 1)), ['genuine']],
    ['is valid in one of several copies', held(old, future, current), ['genuine']],
    ['is not known, because only the hash of the key is', sees(w.server, genuine.sub), ['genuine']],
    ['is past for another key', held(current, { ...old, pin: 'sha256/other' }), ['genuine']],
  ])('%s', (_, seen, expected) => {
    expect(judge(seen)).toEqual(expected);
  });

  function learned(authority: Certificate): TlsEvidence['baseline'] {
    return { ...w.baseline(w.server), authorities: [authority] };
  }

  test('is that of the public root which this machine holds, not of the old copy that is sent', async () => {
    const { root } = w.public;
    const past = { notBefore: new Date('2015-01-01'), notAfter: new Date('2020-01-01') };
    const sent = await createIdentity({ name: root.name, keys: root.keys, authority: true, ...past });
    expect(judge({ ...PUBLIC, ...sees(w.publicServer, w.public.sub, sent) })).toEqual(['genuine']);
  });
});
