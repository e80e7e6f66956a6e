import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Framer, MAX_LINE_BYTES } from '../../../src/logs/framing.ts';
import { type CollectedLine, lineCollector } from '../../support/logs/line-collector.ts';
import { samples } from '../../support/random/samples.ts';

function frame(chunks: readonly Buffer[], octetCounting = true): readonly CollectedLine[] {
  const collector = lineCollector();
  const framer = new Framer(collector.sink, { octetCounting });
  for (const chunk of chunks) framer.push(chunk);
  framer.end();
  return collector.lines;
}

const texts = (input: string, octetCounting = true): readonly string[] =>
  frame([Buffer.from(input)], octetCounting).map(({ text }) => text);

describe('Framer', () => {
  test.each([
    { name: 'line breaks', input: '<14>a\n<14>b\n', lines: ['<14>a', '<14>b'] },
    { name: 'a last line without a line break', input: '<14>a\n<14>b', lines: ['<14>a', '<14>b'] },
    {
      name: 'CR LF, NUL and blanks at the end',
      input: '<14>a\r\n<14>b\0\n<14>c  \n',
      lines: ['<14>a', '<14>b', '<14>c'],
    },
    { name: 'empty lines', input: '\n\r\n<14>a\n\n', lines: ['<14>a'] },
    { name: 'octet counts', input: '5 <14>a6 <14>bc', lines: ['<14>a', '<14>bc'] },
    { name: 'a line break within a counted frame', input: '9 <14>a\nb c5 <14>d', lines: ['<14>a\nb c', '<14>d'] },
    { name: 'a line break behind counted frames', input: '5 <14>a\n5 <14>b\n', lines: ['<14>a', '<14>b'] },
    { name: 'both kinds in one stream', input: '<14>a\n5 <14>b<14>c\n', lines: ['<14>a', '<14>b', '<14>c'] },
    {
      name: 'a line that begins with a date',
      input: '2021-07-08T11:01:06-03:00 h db[1]: x\n',
      lines: ['2021-07-08T11:01:06-03:00 h db[1]: x'],
    },
    {
      name: 'a line that begins with a number',
      input: '12 monkeys\n1234567890 <x\n7\n',
      lines: ['12 monkeys', '1234567890 <x', '7'],
    },
    { name: 'a zero is no octet count', input: '0 <14>a\n', lines: ['0 <14>a'] },
  ])('takes $name apart', ({ input, lines }) => {
    expect(texts(input)).toEqual(lines);
  });

  test('keeps of a piece no more than what is unfinished', () => {
    const framer = new Framer(lineCollector().sink, { octetCounting: true });

    framer.push(Buffer.concat([Buffer.from('<14>a\n'), Buffer.alloc(600, 'b')]));

    expect(framer.pending).toBe(600);
    framer.push(Buffer.from('\n'));
    expect(framer.pending).toBe(0);
  });

  test('leaves octet counts alone where they do not exist', () => {
    expect(texts('5 <14>a\n', false)).toEqual(['5 <14>a']);
  });

  test('cuts a counted frame that never came to its end', () => {
    expect(frame([Buffer.from('100 <14>a')])).toEqual([{ text: '<14>a', cut: true }]);
  });

  test.each([
    { name: 'exactly as long as allowed', length: MAX_LINE_BYTES, cut: false },
    { name: 'one byte longer', length: MAX_LINE_BYTES + 1, cut: true },
    { name: 'ten times as long', length: MAX_LINE_BYTES * 10, cut: true },
  ])('takes a line $name once, and the next one whole', ({ length, cut }) => {
    const line = Buffer.alloc(length, 'x');
    const expected = [
      { text: 'x'.repeat(Math.min(length, MAX_LINE_BYTES)), cut },
      { text: '<14>next', cut: false },
    ];
    const next = Buffer.from('\n<14>next\n');
    const inPieces = [[Buffer.concat([line, next])], [line, next], [line.subarray(0, 5), line.subarray(5), next]];
    expect(inPieces.map((pieces) => frame(pieces))).toEqual(inPieces.map(() => expected));
  });

  test('cuts a counted frame that is too long, and takes the next one', () => {
    const size = MAX_LINE_BYTES + 100;
    const input = Buffer.concat([
      Buffer.from(`${String(size)} <14>`),
      Buffer.alloc(size - 4, 'y'),
      Buffer.from('5 <14>a'),
    ]);
    const whole = frame([input]);
    expect(whole.map(({ text, cut }) => [text.length, cut])).toEqual([
      [MAX_LINE_BYTES, true],
      [5, false],
    ]);
    expect(frame([input.subarray(0, 3), input.subarray(3, 70_000), input.subarray(70_000)])).toEqual(whole);
  });

  test('holds no more than the longest line, however much arrives without a line break', () => {
    const framer = new Framer(lineCollector().sink, { octetCounting: true });
    for (let i = 0; i < 1000; i += 1) {
      framer.push(Buffer.alloc(10_000, 'z'));
      expect(framer.pending).toBeLessThanOrEqual(MAX_LINE_BYTES);
    }
    expect(framer.inLine).toBe(true);
  });

  test('counts frames, so that a new line is told from one that does not end', () => {
    const framer = new Framer(lineCollector().sink, { octetCounting: true });
    framer.push(Buffer.from('<14>a\n<14'));
    const before = framer.frames;
    framer.push(Buffer.from('>b'));
    expect(framer.frames).toBe(before);
    framer.push(Buffer.from('\n<14'));
    expect(framer.frames).toBe(before + 1);
  });

  const piece = fc.oneof(
    fc.constantFrom(
      '\n',
      '\r\n',
      '<14>',
      '5 <14>a',
      '12 <14>abc\ndefg',
      '9',
      '10 ',
      ' <',
      'FTM polling error',
      '\0',
      'é',
      '99999 <',
    ),
    fc.string({ maxLength: 20 }),
  );

  test('gives the same lines wherever the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 30 }),
        fc.array(fc.nat({ max: 400 }), { maxLength: 12 }),
        (pieces, cuts) => {
          const input = Buffer.from(pieces.join(''), 'utf8');
          const bounds = [0, ...cuts.map((cut) => Math.min(cut, input.length)), input.length].toSorted((a, b) => a - b);
          const chunks = bounds.slice(1).map((end, index) => input.subarray(bounds[index], end));
          expect(frame(chunks)).toEqual(frame([input]));
        },
      ),
      { numRuns: samples(100) },
    );
  });

  test('gives the same lines byte by byte', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 15 }), (pieces) => {
        const input = Buffer.from(pieces.join(''), 'utf8');
        expect(frame([...input].map((byte) => Buffer.of(byte)))).toEqual(frame([input]));
      }),
      { numRuns: samples(60) },
    );
  });

  test('loses and invents nothing but white space and octet counts', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary-ascii', maxLength: 40 }), { maxLength: 30 }), (lines) => {
        const sent = lines
          .map((line) =>
            line
              .replace(/[\n]/gu, ' ')
              .replace(/^\d/u, '#')
              .replace(/[\0\t\r ]+$/u, ''),
          )
          .filter((line) => line !== '');
        expect(texts(sent.map((line) => `${line}\n`).join(''))).toEqual(sent);
        expect(texts(sent.map((line) => `${String(line.length + 4)} <14>${line}`).join(''))).toEqual(
          sent.map((line) => `<14>${line}`),
        );
      }),
    );
  });
});
