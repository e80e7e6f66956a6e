import { describe, expect, test } from 'vitest';
import { DeadlineError } from '../../../src/system/clock.ts';
import {
  ProbeError,
  errorCode,
  failureFrom,
  failureMessage,
  failureReason,
  printable,
} from '../../../src/network/failure.ts';

function coded(code: string, more: Record<string, unknown> = {}): Error {
  return Object.assign(new Error(`failed with ${code}`), { code, ...more });
}

function named(name: string, cause?: unknown): Error {
  return Object.assign(new Error('wrapped', { cause }), { name });
}

describe('failureReason', () => {
  test.each([
    [coded('ECONNREFUSED'), 'refused'],
    [coded('ECONNRESET', { syscall: 'read' }), 'reset'],
    [coded('ECONNRESET'), 'closed'],
    [coded('EPIPE'), 'reset'],
    [coded('ETIMEDOUT'), 'timeout'],
    [new DeadlineError('No result within 5 ms'), 'timeout'],
    [coded('ENETUNREACH'), 'no-route'],
    [coded('EHOSTUNREACH'), 'no-route'],
    [coded('EADDRNOTAVAIL', { syscall: 'connect', address: '2001:db8::1' }), 'no-route'],
    [coded('EADDRNOTAVAIL', { syscall: 'connect', address: '192.0.2.1' }), 'internal'],
    [coded('EADDRNOTAVAIL', { syscall: 'bind' }), 'internal'],
    [coded('EINVAL', { syscall: 'connect' }), 'no-route'],
    [coded('EINVAL', { syscall: 'send' }), 'no-route'],
    [coded('EINVAL', { syscall: 'bind' }), 'internal'],
    [coded('EACCES', { syscall: 'connect' }), 'no-route'],
    [new Error('the password', { cause: coded('EACCES', { syscall: 'open' }) }), 'internal'],
    [coded('ENOTFOUND'), 'name-not-resolved'],
    [coded('EAI_AGAIN'), 'name-not-resolved'],
    [named('AbortError'), 'aborted'],
    [named('AbortError', new DeadlineError('x')), 'timeout'],
    [coded('UND_ERR_SOCKET'), 'closed'],
    [Object.assign(new Error('x', { cause: coded('ECONNREFUSED') }), { code: 'UND_ERR_SOCKET' }), 'refused'],
    [coded('ERR_SSL_WRONG_VERSION_NUMBER'), 'tls'],
    [coded('ERR_TLS_CERT_ALTNAME_INVALID'), 'tls'],
    [coded('CERT_HAS_EXPIRED'), 'tls'],
    [coded('DEPTH_ZERO_SELF_SIGNED_CERT'), 'tls'],
    [coded('SELF_SIGNED_CERT_IN_CHAIN'), 'tls'],
    [coded('UNABLE_TO_VERIFY_LEAF_SIGNATURE'), 'tls'],
    [coded('UNSPECIFIED'), 'tls'],
    [coded('HPE_INVALID_CONSTANT'), 'protocol'],
    [coded('ERR_HTTP2_STREAM_ERROR'), 'protocol'],
    [new ProbeError('rejected', 'no'), 'rejected'],
    [new TypeError('a bug'), 'internal'],
    [coded('EMFILE'), 'internal'],
    ['a string', 'internal'],
    [undefined, 'internal'],
  ])('%s is %s', (error, expected) => {
    expect(failureReason(error)).toBe(expected);
  });

  test('survives a cause that is its own cause', () => {
    const error = new Error('round and round');
    error.cause = error;
    expect(failureReason(error)).toBe('internal');
  });
});

test.each([
  ['connect ENETUNREACH 192.0.2.1:443 - Local (0.0.0.0:0)', 'connect ENETUNREACH 192.0.2.1:443'],
  ['connect ENETUNREACH 2001:db8::1:443 - Local (:::0)', 'connect ENETUNREACH 2001:db8::1:443'],
  ['bind EADDRNOTAVAIL - Local (192.0.2.7:0)', 'bind EADDRNOTAVAIL - Local (192.0.2.7:0)'],
])('failureFrom omits the address of a socket that has none: %s', (message, shown) => {
  expect(failureFrom(new Error(message), 5, new AbortController().signal)).toMatchObject({ message: shown });
});

test('failureFrom calls everything aborted once the round is called off', () => {
  expect(failureFrom(coded('ECONNREFUSED'), 5, AbortSignal.abort())).toMatchObject({
    kind: 'failed',
    reason: 'aborted',
    durationMs: 5,
  });
  expect(failureFrom(coded('ECONNREFUSED'), 5, new AbortController().signal)).toMatchObject({ reason: 'refused' });
});

describe('failureMessage', () => {
  test('is one line of bounded length without control characters', () => {
    const message = failureMessage(new Error(`evil\u0000\u001B[31m\r\n\u202Etext ${'x'.repeat(10_000)}`));
    expect(message.length).toBeLessThan(800);
    expect(message).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(message).toMatch(/^evil/u);
  });

  test("takes OpenSSL's reason instead of its pointer and file name", () => {
    const error = Object.assign(
      new Error('00F1:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../deps/x.c:1:'),
      {
        code: 'ERR_SSL_WRONG_VERSION_NUMBER',
        reason: 'wrong version number',
      },
    );
    expect(failureMessage(error)).toBe('wrong version number');
  });

  test('falls back to the code where there is no text', () => {
    expect(failureMessage(Object.assign(new Error(''), { code: 'ECONNREFUSED' }))).toBe('ECONNREFUSED');
    expect(failureMessage('text')).toBe('Unknown error');
  });
});

test('errorCode reads a code only where it is a string', () => {
  expect(errorCode(coded('X'))).toBe('X');
  expect(errorCode(Object.assign(new Error('x'), { code: 5 }))).toBeNull();
  expect(errorCode({ code: 'X' })).toBeNull();
});

test('printable puts everything on one line', () => {
  expect(printable(' 550-no\r\n550 such user ', 100)).toBe('550-no 550 such user');
  expect(printable('x'.repeat(50), 10)).toBe(`${'x'.repeat(9)}…`);
});
