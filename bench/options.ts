import { parseArgs } from 'node:util';
import { PROBE_KINDS } from './probes/kinds.ts';
import type { ProbeKind } from './probes/kinds.ts';
import type { Effort } from './probes/compare.ts';

const SECTIONS = ['round', 'minute', 'idle', 'start', 'memory', 'stack', 'scrape', 'pages', 'plugins'] as const;

export type Section = (typeof SECTIONS)[number];

export interface Options {
  readonly kinds: readonly ProbeKind[];
  readonly sections: ReadonlySet<Section>;
  readonly quick: boolean;
  readonly effort: Effort;
  /** Number of rounds in one measurement of whole rounds. */
  readonly roundsAtOnce: number;
  /** Minutes of real time without faults. */
  readonly minutes: number;
  /** Faults from which the time to the mail is measured. */
  readonly faults: number;
  /** Memory is measured after these numbers of rounds. */
  readonly memoryAfter: readonly number[];
  readonly json: string;
  /** Whether the results are written to bench/results.md. */
  readonly write: boolean;
  /** Whether everything is measured. */
  readonly isWhole: boolean;
}

const USAGE = `npm run bench -- [--only ${[...groups(), ...SECTIONS].join(',')}] [--quick] [--json FILE] [--write]`;

/** @throws {Error} listing the allowed options */
export function readOptions(argv: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      only: { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'string', default: '.cache/bench.json' },
      write: { type: 'boolean', default: false },
    },
  });
  const { only, quick, json, write } = values;
  const wanted = only?.split(',') ?? [...groups(), ...SECTIONS];
  const unknown = wanted.find((name) => !groups().includes(name) && !SECTIONS.some((section) => section === name));
  if (unknown !== undefined) throw new Error(`Cannot measure "${unknown}": expected ${USAGE}`);
  return {
    kinds: PROBE_KINDS.filter((kind) => wanted.includes(groupOf(kind))),
    sections: new Set(SECTIONS.filter((section) => wanted.includes(section))),
    quick,
    effort: quick ? { rounds: 2, milliseconds: 150 } : { rounds: 5, milliseconds: 800 },
    roundsAtOnce: quick ? 20 : 150,
    minutes: quick ? 1 : 5,
    faults: quick ? 1 : 3,
    memoryAfter: quick ? [100, 300] : [1_000, 10_000],
    json,
    write,
    isWhole: only === undefined,
  };
}

function groups(): readonly string[] {
  return [...new Set(PROBE_KINDS.map(groupOf))];
}

/** `tls` selects both key types. */
function groupOf(kind: ProbeKind): string {
  return kind.split('-')[0] ?? kind;
}
