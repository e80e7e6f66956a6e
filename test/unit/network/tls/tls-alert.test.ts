import { describe, expect, test } from 'vitest';
import { alertAtHello, alertName, demandsCertificate } from '../../../../src/network/tls/handshake.ts';

describe('alertName', () => {
  test.each([
    [
      'C0D2:error:0A000410:SSL routines:ssl3_read_bytes:ssl/tls alert handshake failure:rec_layer_s3.c:918:SSL ' +
        'alert number 40\n',
      'handshake_failure',
    ],
    [
      'C0D2:error:0A00045C:SSL routines:ssl3_read_bytes:tlsv13 alert certificate required:rec_layer_s3.c:918:SSL ' +
        'alert number 116\n',
      'certificate_required',
    ],
    ['SSL alert number 99', 'alert_99'],
  ])('reads the number from %j', (message, expected) => {
    expect(alertName(new Error(message))).toBe(expected);
  });

  test('knows no alert where none was received', () => {
    expect(
      alertName(new Error('error:0A00010B:SSL routines:tls_validate_record_header:wrong version number')),
    ).toBeNull();
    expect(alertName('SSL alert number 40')).toBeNull();
  });
});

describe('alertAtHello', () => {
  test.each([
    [[0x15, 3, 3, 0, 2, 2, 40], 'handshake_failure'],
    [[0x15, 3, 1, 0, 2, 2, 222], 'alert_222'],
    [[0x15, 3, 3, 0, 2, 1, 0], null],
    [[0x15, 3, 3, 0, 2, 2], null],
    [[0x16, 3, 3, 0, 2, 2, 40], null],
    [[], null],
  ])('reads %j', (bytes, expected) => {
    expect(alertAtHello(new Uint8Array(bytes))).toBe(expected);
  });
});

describe('demandsCertificate', () => {
  test.each([
    ['certificate_required', false, true],
    ['handshake_failure', true, true],
    ['bad_certificate', true, true],
    ['handshake_failure', false, false],
    ['internal_error', true, false],
    [null, true, false],
  ])('judges %s, requested: %s', (alert, requested, expected) => {
    expect(demandsCertificate(alert, requested)).toBe(expected);
  });
});
