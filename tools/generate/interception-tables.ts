import { BLOCK_RULES } from '../../src/checks/tls-genuine/blocked.ts';
import {
  decide,
  type Decision,
  FACT_VALUES,
  ORIGINS,
  REASONS,
  type VerdictFacts,
} from '../../src/checks/tls-genuine/decide.ts';

/** Returns the document with its two tables of rules, between `<!-- NAME -->` and `<!-- /NAME -->`, as in the code. */
export function renderInterceptionTables(document: string): string {
  const verdicts = decisions().map(({ origin, reason, verdict, confidence, kind, level }) => {
    const special = [kind, level].filter((word) => word !== undefined).join(', ');
    return `| ${origin} | ${REASONS[reason]} | \`${verdict}\`${special && ` (${special})`} | ${confidence} |`;
  });
  const origins = Object.entries(ORIGINS).map(([origin, meaning]) => `| *${origin}* | ${meaning} |`);
  const blocks = BLOCK_RULES.map(
    ({ when, kind, confidence }) => `| ${when} | ${kind === null ? 'not known' : `\`${kind}\``} | ${confidence} |`,
  );
  const tables: readonly (readonly [name: string, lines: readonly string[]])[] = [
    ['origins', ['| origin | signed by |', '|---|---|', ...origins]],
    ['verdicts', ['| origin | reason | verdict | confidence |', '|---|---|---|---|', ...verdicts]],
    ['blocks', ['| when | kind | confidence |', '|---|---|---|', ...blocks]],
  ];
  return tables.reduce((text, [name, lines]) => withTable(text, name, lines), document);
}

/** Returns all decisions that differ, in the order of the origins and reasons. */
export function decisions(): readonly Decision[] {
  const found = new Map<string, Decision>();
  forEachCombination((facts) => {
    const decision = decide(facts);
    found.set(Object.values(decision).join(' '), decision);
  });
  const [origins, reasons] = [Object.keys(ORIGINS), Object.keys(REASONS)];
  const place = ({ origin, reason }: Decision): number =>
    origins.indexOf(origin) * reasons.length + reasons.indexOf(reason);
  return [...found.values()].toSorted((left, right) => place(left) - place(right));
}

/** Calls `visit` for every combination of facts, the last fact changing first. The object is reused. */
export function forEachCombination(visit: (facts: VerdictFacts) => void): void {
  const facts: { -readonly [Fact in keyof VerdictFacts]: VerdictFacts[Fact] } = {
    chainTrust: 'trusted',
    accepted: true,
    claim: 'vendor',
    identity: 'known-key',
    dates: 'valid',
    baselineMatch: 'none',
    gap: true,
    profile: 'fortinet',
    flawed: false,
    trusting: true,
    ended: 'handshake',
    witnessed: true,
    contradicted: true,
    hinted: true,
  };
  const steps = Object.entries(FACT_VALUES)
    .toReversed()
    .reduce(
      (inner: () => void, [fact, values]) =>
        () => {
          for (const value of values) {
            Object.assign(facts, { [fact]: value });
            inner();
          }
        },
      () => visit(facts),
    );
  steps();
}

function withTable(document: string, name: string, lines: readonly string[]): string {
  const place = new RegExp(`(?<=<!-- ${name} -->\\n)[^]*?(?=<!-- /${name} -->)`, 'u');
  if (!place.test(document)) throw new Error(`Cannot find the table "${name}": expected <!-- ${name} -->`);
  return document.replace(place, () => `${lines.join('\n')}\n`);
}
