/** One step of the gate: a command, and how to read from its output how much it looked at. */
export interface Step {
  readonly name: string;
  /** Program and arguments; the program is one that npm put on the PATH. */
  readonly command: readonly [string, ...string[]];
  /** What it counts, in the plural. */
  readonly counts: string;
  /** How much it looked at; undefined when its output does not say. */
  readonly count: (output: string) => number | undefined;
  /** The part of the output that is worth reading after a failure; default: all of it. */
  readonly trim?: (output: string) => string;
  /** The part of the output that is worth reading even after a success; default: none. */
  readonly remarks?: (output: string) => string;
}

// What tsc prints for --listFiles; its complaints start with a relative path.
const LISTED_FILE = /^\/.+\.(?:[cm]?tsx?|json)$/u;

export const steps: readonly Step[] = [
  {
    name: 'types',
    command: ['tsc', '-p', '.', '--listFiles', '--pretty', 'false'],
    counts: 'files',
    count: (output) =>
      output.split('\n').filter((line) => LISTED_FILE.test(line) && !line.includes('/node_modules/')).length,
    trim: (output) =>
      output
        .split('\n')
        .filter((line) => !LISTED_FILE.test(line))
        .join('\n'),
  },
  {
    name: 'lint',
    command: ['oxlint'],
    counts: 'files',
    count: (output) => firstNumber(output, /\bon (\d+) files?\b/u),
  },
  {
    name: 'format',
    command: ['biome', 'format', '.'],
    counts: 'files',
    count: (output) => firstNumber(output, /\bChecked (\d+) files?\b/u),
  },
  {
    name: 'dead-code',
    command: ['knip', '--no-progress', '--reporter', 'symbols', '--reporter', './test/gate/knip-count.ts'],
    counts: 'files',
    count: (output) => firstNumber(output, /^Looked at (\d+) files$/mu),
  },
  {
    // What only tests use: where a test cannot reach it otherwise, it is tagged @internal.
    name: 'only-tested',
    command: [
      'knip',
      '--production',
      '--tags=-@internal',
      '--no-progress',
      '--reporter',
      'symbols',
      '--reporter',
      './test/gate/knip-count.ts',
    ],
    counts: 'files',
    count: (output) => firstNumber(output, /^Looked at (\d+) files$/mu),
  },
  {
    name: 'tests',
    command: ['vitest', 'run'],
    counts: 'tests passed',
    count: (output) => firstNumber(output, /^\s*Tests\s.*?(\d+) passed/mu),
    remarks: (output) => (output.match(/^Skipped ".*$/gmu) ?? []).join('\n'),
  },
];

function firstNumber(text: string, pattern: RegExp): number | undefined {
  const digits = pattern.exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
