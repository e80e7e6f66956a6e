/** A house rule that the linter cannot express: a pattern that must not match any line of the product's code. */
interface LineRule {
  readonly pattern: RegExp;
  readonly message: string;
  /** Whether comments are checked as well. */
  readonly inComments: boolean;
  readonly exempt: readonly string[];
}

const LINE_RULES: readonly LineRule[] = [
  {
    pattern: /\bDate\(\s*\)/u,
    message: 'reads the wall clock: take a Clock as an argument and use clock.now',
    inComments: false,
    exempt: ['src/system/clock.ts'],
  },
  {
    pattern: /^(?:export\s+)?(?:let|var)\s/u,
    message: 'is state of the module: keep it in what a function creates and returns',
    inComments: false,
    exempt: [],
  },
  {
    pattern: /^(?:export\s+)?const\s+\w+(?:\s*:(?!\s*Readonly)[^=]+)?\s*=\s*new\s+(?:Weak)?(?:Map|Set)\b/u,
    message:
      'is state of the module: a table is a ReadonlyMap or ReadonlySet, anything else belongs in what a function ' +
      'creates',
    inComments: false,
    exempt: [],
  },
  {
    pattern: /\bmkdir(?:Sync)?\(.*\brecursive\b/u,
    message: 'may never return: use makeFolder',
    inComments: false,
    exempt: [],
  },
  {
    pattern: /'inherit'|\bstdio:.*\bprocess\.std/u,
    message: "makes this process's standard output blocking: use 'pipe', 'ignore', or descriptor 3 of the child",
    inComments: false,
    exempt: [],
  },
  {
    pattern: /What users feel|[Tt]he way of an activation|Not judged: fix|nobody can say|\b(?:vouch|lately|of late)\b/u,
    message: 'is no word that people are told: see the glossary in docs/architecture.md',
    inComments: false,
    exempt: [],
  },
  {
    pattern: /(?:oxlint|eslint)-disable(?!.* -- \S)|biome-ignore(?!.*: \S)|@ts-(?:expect-error|ignore)(?!\S*[ :]+\S)/u,
    message: 'silences a check without a reason: end it with " -- " and why it is safe here',
    inComments: true,
    exempt: [],
  },
];

const VAGUE_NAME = /(?:^|\/)(?:utils?|helpers?|lib|common|misc|shared|types|index)\.[jt]s$/u;
const COMMENT = /^\s*(?:\/\/|\/?\*)/u;

/**
 * Returns every violation of a house rule in a file of the product, as `path:line: message`. The path is relative to
 * the project's folder.
 */
export function brokenHouseRules(path: string, text: string): readonly string[] {
  const vague = VAGUE_NAME.test(path)
    ? [`${path}:1: has a name that says nothing: name the file after the one concept in it`]
    : [];
  const lines = text
    .split('\n')
    .flatMap((line, index) =>
      LINE_RULES.filter(
        (rule) => rule.pattern.test(line) && (rule.inComments || !COMMENT.test(line)) && !rule.exempt.includes(path),
      ).map((rule) => `${path}:${String(index + 1)}: ${rule.message}`),
    );
  return [...vague, ...lines];
}
