/**
 * Longer words are not split, so that they can be copied.
 * @param indent counts towards the width
 * @param first prefix of the first line, at most as wide as the indent
 */
export function wrap(text: string, width: number, indent = '', first: string = indent): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent.length + line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].map((one, index) => `${index === 0 ? first : indent}${one}`);
}
