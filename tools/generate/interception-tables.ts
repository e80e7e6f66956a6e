import { BLOCK_RULES } from '../../src/checks/tls-genuine/blocked.ts';
import { HYPOTHESES } from '../../src/checks/tls-genuine/hypotheses.ts';

/** Returns the document with its two tables of rules, between `<!-- NAME -->` and `<!-- /NAME -->`, as in the code. */
export function renderInterceptionTables(document: string): string {
  const verdicts = HYPOTHESES.map(({ when, verdict, confidence }) => `| ${when} | \`${verdict}\` | ${confidence} |`);
  const blocks = BLOCK_RULES.map(
    ({ when, kind, confidence }) => `| ${when} | ${kind === null ? 'not known' : `\`${kind}\``} | ${confidence} |`,
  );
  return withTable(
    withTable(document, 'verdicts', ['| when | verdict | confidence |', '|---|---|---|', ...verdicts]),
    'blocks',
    ['| when | kind | confidence |', '|---|---|---|', ...blocks],
  );
}

function withTable(document: string, name: string, lines: readonly string[]): string {
  const place = new RegExp(`(?<=<!-- ${name} -->\\n)[^]*?(?=<!-- /${name} -->)`, 'u');
  if (!place.test(document)) throw new Error(`Cannot find the table "${name}": expected <!-- ${name} -->`);
  return document.replace(place, () => `${lines.join('\n')}\n`);
}
