import type { Finding } from '../finding.ts';

/**
 * One finding as a person reads it: what was found, the words that it rests on, what was expected instead. The subject
 * of the cause itself is not said again.
 */
export function evidenceLine({ subject, claim, quote, expected }: Finding, ofCause: string): string {
  const place = subject === ofCause ? '' : `${subject}: `;
  const words = quote === undefined ? '' : ` Verbatim: "${quote}".`;
  return `${place}${claim}${words} Expected: ${inSentence(expected)}.`;
}

/** Findings begin with a capital where they stand alone; names and abbreviations keep theirs. */
export function inSentence(text: string): string {
  return text.replace(/^[A-Z](?=[a-z]* )/u, (letter) => letter.toLowerCase());
}

/** So many lines are read; the others are folded. */
const SHOWN = 5;

/** The evidence that is shown first, and the rest. */
export function foldEvidence(evidence: readonly string[]): {
  readonly shown: readonly string[];
  readonly folded: readonly string[];
} {
  return { shown: evidence.slice(0, SHOWN), folded: evidence.slice(SHOWN) };
}
