/** At most so many bytes of UTF-8, three at least, and no half of a character. */
export function cutToBytes(text: string, bytes: number): string {
  const whole = Buffer.from(text, 'utf8');
  if (whole.length <= bytes) return text;
  // Half a character at the end is read as U+FFFD, of three bytes.
  return whole
    .subarray(0, bytes - 3)
    .toString('utf8')
    .replace(/\u{FFFD}$/u, '');
}
