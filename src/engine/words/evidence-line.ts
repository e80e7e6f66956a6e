import type { Finding } from '../finding.ts';

/** One line for a person: the subject of the cause itself is not said again. */
export function evidenceLine(finding: Finding, subject: string): string {
  const text = `expected ${inSentence(finding.expected)}, got ${inSentence(finding.actual)}`;
  return finding.subject === subject ? text : `${finding.subject}: ${text}`;
}

/** Findings begin with a capital where they stand alone; names and abbreviations keep theirs. */
function inSentence(text: string): string {
  return text.replace(/^[A-Z](?=[a-z]* )/u, (letter) => letter.toLowerCase());
}
