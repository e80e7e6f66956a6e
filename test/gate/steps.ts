/** A step of the gate: a command, and how to read from its output how much it checked. */
export interface Step {
  readonly name: string;
  /** Program and arguments. The program is on the PATH of npm. */
  readonly command: readonly [string, ...string[]];
  /** The unit of the count, in the plural. */
  readonly counts: string;
  /** The number of items checked; undefined if the output does not contain it. */
  readonly count: (output: string) => number | undefined;
  /** The part of the output that is useful after a failure; default: all of it. */
  readonly trim?: (output: string) => string;
  /** The command that repairs what the step found. */
  readonly repair?: string;
  /** The part of the output that is printed even after success; default: none. */
  readonly remarks?: (output: string) => string;
}

// Format of the file paths that tsc prints for --listFiles. Its errors start with a relative path.
const LISTED_FILE = /^\/.+\.(?:[cm]?tsx?|json)$/u;

const KNIP: Step['command'] = [
  'knip',
  '--no-progress',
  '--treat-config-hints-as-errors',
  '--reporter',
  'symbols',
  '--reporter',
  './test/gate/knip-count.ts',
];

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
    repair: 'npm run format',
  },
  {
    name: 'dead-code',
    command: KNIP,
    counts: 'files',
    count: (output) => firstNumber(output, /^Looked at (\d+) files$/mu),
  },
  {
    // Finds exports that only tests use. If a test cannot reach them otherwise, they are tagged @internal.
    name: 'only-tested',
    command: [...KNIP, '--production', '--tags=-@internal'],
    counts: 'files',
    count: (output) => firstNumber(output, /^Looked at (\d+) files$/mu),
  },
  {
    name: 'tests',
    command: ['vitest', 'run', '--project', '!nightly'],
    counts: 'tests passed',
    count: (output) => firstNumber(output, /^\s*Tests\s.*?(\d+) passed/mu),
    remarks: (output) => (output.match(/^Skipped ".*$/gmu) ?? []).join('\n'),
  },
];

function firstNumber(text: string, pattern: RegExp): number | undefined {
  const digits = pattern.exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
