import { describe, expect, test } from 'vitest';
import type { DistinguishedName } from '../../../../src/core/certificate.ts';
import type { FailureReason, MailObservation, MailOutcome, MailStage } from '../../../../src/core/observation.ts';
import { mailViewOf, judgeMail as judgeMailUnchecked } from '../../../../src/checks/mail/judge.ts';
import type { Finding } from '../../../../src/engine/model.ts';
import { configOf } from '../../../support/config/config-of.ts';
import { withPlainClaims } from '../../../support/checks/plain-claim.ts';

const SERVER: MailObservation = {
  server: 'mail.example.test:25',
  security: 'starttls',
  required: false,
  patience: 5000,
  outcome: { kind: 'accepted', durationMs: 9, slowestMs: 9, greeting: '220 hello' },
  certificateNotAfter: null,
};
const ELSEWHERE = { fromAppliance: false };
const FROM_APPLIANCE = { fromAppliance: true };

type Failure = Partial<Extract<MailOutcome, { readonly kind: 'failed' }>>;

function failing(stage: MailStage, reason: FailureReason, more: Failure = {}): MailOutcome {
  return { kind: 'failed', reason, message: 'as it is', durationMs: 9, stage, code: null, tlsError: null, ...more };
}

const replied = (stage: MailStage, reply: string): MailOutcome =>
  failing(stage, 'rejected', { code: Number(reply.slice(0, 3)), message: `The server replied "${reply}"` });

function judge(outcome: MailOutcome, view = ELSEWHERE, more: Partial<MailObservation> = {}): Finding | undefined {
  const [finding, ...others] = withPlainClaims(judgeMailUnchecked)({ ...SERVER, outcome, ...more }, view);
  expect(others).toEqual([]);
  return finding;
}

const words = (finding: Finding | undefined): string =>
  [finding?.level, finding?.rule, finding?.suggests, finding?.kind, finding?.confidence].filter(Boolean).join(' ');

/** Failures without a reply, and typical replies, are recorded with their texts. */
describe('judgeMail()', () => {
  test.each<readonly [number, string]>([
    [5000, ''],
    [6044, 'warning mail-server-answers-in-time mail-slow'],
  ])('judges a server that accepts by its slowest answer, %i ms: %s', (slowestMs, expected) => {
    expect(words(judge({ kind: 'accepted', durationMs: 9000, slowestMs, greeting: '220 hello' }))).toBe(expected);
  });

  test('names the server, and how it is encrypted', () => {
    const { subject, facts } = judge(failing('connect', 'refused')) ?? {};
    expect([subject, facts]).toEqual(['mail.example.test:25', { security: 'starttls' }]);
  });

  test.each<readonly [MailStage, FailureReason, Failure, string]>([
    ['tls', 'rejected', { code: 502, tlsError: 'NO_STARTTLS' }, 'broken mail-tls-verifies mail-tls-broken'],
    ['tls', 'reset', { code: 454 }, 'broken mail-tls-verifies mail-tls-broken'],
    ['tls', 'rejected', { code: 502 }, 'broken mail-tls-verifies mail-tls-broken'],
    ['tls', 'rejected', {}, 'broken mail-tls-verifies mail-tls-broken'],
    ['tls', 'rejected', { code: 454, tlsError: 'STARTTLS_REFUSED' }, 'broken mail-server-available mail-unavailable'],
    ['login', 'rejected', {}, 'broken mail-login-accepted mail-login-rejected'],
  ])('at %s, %s, %j: %s', (stage, reason, more, expected) => {
    expect(words(judge(failing(stage, reason, more)))).toBe(expected);
  });

  const UNABLE = 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY';
  const FORTIGATE: DistinguishedName = { attributes: [{ type: 'CN', value: 'FG100F' }] };

  test.each<readonly [string, DistinguishedName | undefined, readonly (string | undefined)[]]>([
    ['DEPTH_ZERO_SELF_SIGNED_CERT', FORTIGATE, ['untrusted', 'FG100F', 'CN=FG100F']],
    ['SELF_SIGNED_CERT_IN_CHAIN', FORTIGATE, ['untrusted', 'FG100F', 'CN=FG100F']],
    ['UNABLE_TO_GET_ISSUER_CERT', FORTIGATE, ['untrusted', 'FG100F', 'CN=FG100F']],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', FORTIGATE, ['untrusted', 'FG100F', 'CN=FG100F']],
    [UNABLE, { attributes: [] }, ['untrusted', undefined, '(empty name)']],
    ['CERT_HAS_EXPIRED', FORTIGATE, [undefined, 'FG100F', 'CN=FG100F']],
    [UNABLE, undefined, [undefined, undefined, undefined]],
  ])('names who issued the certificate of %s: %j', (tlsError, issuer, expected) => {
    const finding = judge(failing('tls', 'tls', { tlsError, ...(issuer === undefined ? {} : { issuer }) }));
    expect([finding?.kind, finding?.facts?.issuer, finding?.fullNames?.join()]).toEqual(expected);
  });

  test.each<readonly [MailStage, FailureReason, MailObservation['security'], string | undefined]>([
    ['greeting', 'timeout', 'starttls', 'silent'],
    ['greeting', 'timeout', 'none', 'silent'],
    ['greeting', 'timeout', 'tls', undefined],
    ['greeting', 'closed', 'none', undefined],
    ['connect', 'timeout', 'none', undefined],
  ])('a port that says nothing may want TLS from the start: %s, %s, %s', (stage, reason, security, kind) => {
    expect(judge(failing(stage, reason), ELSEWHERE, { security })?.kind).toBe(kind);
  });

  test.each<readonly [string, MailStage, string, typeof ELSEWHERE]>([
    ['warning mail-relay-permitted mail-relay-denied this-machine', 'recipient', '554 Relay access denied', ELSEWHERE],
    ['warning mail-relay-permitted mail-relay-denied this-machine', 'recipient', '454 Relay access denied', ELSEWHERE],
    ['broken mail-relay-permitted mail-relay-denied', 'recipient', '554 Relay access denied', FROM_APPLIANCE],
    ['warning mail-relay-permitted mail-relay-denied', 'recipient', '454 Relay access denied', FROM_APPLIANCE],
    ['broken mail-settings-suffice mail-settings-incomplete login', 'sender', '530 Relay access denied', ELSEWHERE],
    ['broken mail-login-accepted mail-login-rejected', 'login', '535 Relay access denied', ELSEWHERE],
    ['broken mail-recipient-accepted mail-recipient-rejected suspected', 'recipient', '550 5.7.1 no', ELSEWHERE],
    ['broken mail-recipient-accepted mail-recipient-rejected', 'recipient', '550 5.7.1 no', FROM_APPLIANCE],
    ['broken mail-sender-accepted mail-recipient-rejected suspected', 'sender', '550 5.7.1 no', ELSEWHERE],
    ['broken mail-sender-accepted mail-recipient-rejected', 'sender', '354 no', ELSEWHERE],
    ['warning mail-sender-accepted mail-recipient-rejected', 'sender', '400 no', ELSEWHERE],
    ['broken mail-sender-accepted mail-recipient-rejected', 'sender', '500 no', ELSEWHERE],
    ['broken mail-client-accepted mail-client-refused turned-away suspected', 'greeting', '554 no', ELSEWHERE],
    ['warning mail-client-accepted mail-client-refused this-machine', 'recipient', '550 5.7.25 no PTR', ELSEWHERE],
    ['broken mail-client-accepted mail-client-refused', 'recipient', '550 5.7.25 no PTR', FROM_APPLIANCE],
  ])('is as sure as the reply is clear to the address that asks: %s: %s, %s, %j', (expected, stage, reply, view) => {
    expect(words(judge(replied(stage, reply), view))).toBe(expected);
  });

  test.each<readonly [Partial<MailObservation>, string, string]>([
    [{ isLoginUnknown: true }, '530 no', 'note mail-settings-suffice login'],
    [{}, '530 no', 'broken mail-settings-suffice mail-settings-incomplete login'],
    [{ isLoginUnknown: true }, '550 no', 'broken mail-sender-accepted mail-recipient-rejected'],
  ])('a login that nobody tells is not missing: %j, %s', (more, reply, expected) => {
    expect(words(judge(replied('sender', reply), ELSEWHERE, more))).toBe(expected);
  });
});

test.each([
  ['', false],
  ['sourceAddress: 192.0.2.7', false],
  ['sourceAddress: 192.0.2.5', true],
  ['sourceAddress: "2001:db8::5"', true],
])('the probe leaves from an address of FortiAuthenticator: %s: %s', async (sourceAddress, fromAppliance) => {
  const units = 'appliances: [{ name: a, logSources: [fac-1] }, { name: b, logSources: [192.0.2.5, "2001:DB8:0::5"] }]';
  expect(mailViewOf(await configOf(`${units}\n${sourceAddress}`))).toEqual({ fromAppliance });
});
