import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  alertAtHello,
  alertName,
  beginsAsTls,
  demandsCertificate,
  readableText,
} from '../../../../src/network/tls/handshake.ts';
import { cpuMsOf } from '../../../support/process/cpu-time.ts';

function text(html: string): string {
  return readableText(Buffer.from(html, 'latin1'));
}

describe('beginsAsTls', () => {
  test.each([
    ['nothing', [], true],
    ['one byte of a handshake', [0x16], true],
    ['a handshake', [0x16, 3, 3, 0, 0x7a], true],
    ['an alert', [0x15, 3, 1, 0, 2], true],
    ['SSL 2', [0x16, 2, 0], false],
    ['HTTP', [0x48, 0x54, 0x54, 0x50], false],
    ['a zero', [0], false],
  ])('judges %s', (_, bytes, expected) => {
    expect(beginsAsTls(new Uint8Array(bytes))).toBe(expected);
  });
});

describe('readableText', () => {
  test.each([
    ['HTTP/1.1 200 OK\r\nA: b\r\n\r\n<p>x</p>', 'HTTP/1.1 200 OK A: b x'],
    ['<style>p > a { }</style>a<script type="x">if (1) {}</script >b', 'a b'],
    ['<style>never closed', ''],
    ['a<!-- > <b> -- -->b<!-- never closed', 'a b'],
    ['1 < 2 and 3 > 2', '1 < 2 and 3 > 2'],
    ['<p\nclass="x"\n>a', 'a'],
  ])('reads %j', (html, expected) => {
    expect(text(html)).toBe(expected);
  });

  test('is printable ASCII of 512 characters at most, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
        expect(readableText(bytes)).toMatch(/^[ -~]{0,512}$/u);
      }),
    );
  });

  test('is quick on what is made to be slow', () => {
    const parts = ['<', '<!', '<!--', '<!-', '<style', '<style>', '<script>x</script', '-', ' ', '<a'];
    expect(cpuMsOf(() => parts.forEach((part) => text(part.repeat(16_384 / part.length))))).toBeLessThan(500);
  });
});

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
