import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { beginsAsTls, readableText } from '../../../../src/network/tls/handshake.ts';
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
