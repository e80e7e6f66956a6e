/** The same sentence with something behind it: `No answer within 3 s.` and `at once` give `No answer within 3 s, at once.` */
export function withMore(claim: string, separator: string, more: string): string {
  return `${claim.replace(/\.$/u, '')}${separator}${more}.`;
}

/** Our own words at the begin of a sentence. */
export function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
