import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ReplyReader } from '../../../../src/network/smtp/session.ts';

function repliesIn(...chunks: readonly (string | Buffer)[]): readonly string[] {
  const reader = new ReplyReader();
  for (const chunk of chunks) reader.push(Buffer.from(chunk));
  return taken(reader);
}

function taken(reader: ReplyReader): readonly string[] {
  const replies: string[] = [];
  for (let reply = reader.take(); reply !== null; reply = reader.take()) replies.push(reply);
  return replies;
}

describe('ReplyReader', () => {
  test.each([
    ['220 hello\r\n', ['220 hello']],
    ['250-one\r\n250-two\r\n250 three\r\n', ['250-one\n250-two\n250 three']],
    ['250 one\r\n354 two\r\n', ['250 one', '354 two']],
    ['250\r\n', ['250']],
    ['250 bare\n', ['250 bare']],
    ['\r\n \r\n250 after nothing\r\n', ['250 after nothing']],
    ['250-open\r\n', []],
    ['250 open', []],
    ['what?\r\n', ['what?']],
  ])('%j', (text, replies) => {
    expect(repliesIn(text)).toEqual(replies);
  });

  test('reads the same, however the bytes were cut', () => {
    const bytes = Buffer.from('220-grüß\r\n220 Gott\r\n250 x\r\n');
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 8 }), (cuts) => {
        const at = [0, ...cuts.toSorted((one, other) => one - other), bytes.length];
        const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
        expect(repliesIn(...chunks)).toEqual(['220-grüß\n220 Gott', '250 x']);
      }),
    );
  });

  test('takes bytes that are no UTF-8 for a character each', () => {
    expect(repliesIn(Buffer.from('550 nö\r\n', 'latin1'))).toEqual(['550 nö']);
  });

  test.each([
    ['a line', 'x'],
    ['a reply', '250-x\r\n'],
    ['replies that nobody reads', '250 x\r\n'],
  ])('gives up on %s without end', (_, piece) => {
    const reader = new ReplyReader();
    const chunk = Buffer.from(piece.repeat(64));
    expect(() => {
      for (let sent = 0; sent <= 64 * 1024; sent += chunk.length) reader.push(chunk);
    }).toThrow('more than 65536 bytes');
  });

  test('goes on for as long as somebody reads', () => {
    const reader = new ReplyReader();
    const reply = `250 ${'x'.repeat(1000)}`;
    for (let count = 0; count < 200; count += 1) {
      reader.push(Buffer.from(`${reply}\r\n250-op`));
      expect(taken(reader)).toEqual([reply]);
      reader.push(Buffer.from('en\r\n250 closed\r\n'));
      expect(taken(reader)).toEqual(['250-open\n250 closed']);
    }
  });
});
