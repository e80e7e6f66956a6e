import { readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { LogLines, Measured } from './measure.ts';

const DOCUMENT = fileURLToPath(new URL('../results.md', import.meta.url));
const BEGIN = '<!-- sizes: npm run bench:scale -- --write -->';
const END = '<!-- /sizes -->';

interface Column {
  readonly title: string;
  readonly of: (measured: Measured) => number;
  readonly digits: number;
}

const COLUMNS: readonly Column[] = [
  { title: 'targets', of: ({ targets }) => targets, digits: 0 },
  { title: 'appliances', of: ({ appliances }) => appliances, digits: 0 },
  { title: 'CPU a round, ms', of: ({ cpuMsARound }) => cpuMsARound, digits: 0 },
  { title: 'memory, MiB', of: ({ rssMegabytes }) => rssMegabytes, digits: 0 },
  { title: 'round, s', of: ({ roundMs }) => roundMs / 1000, digits: 2 },
  { title: 'lag p50 / p99, ms', of: ({ lagP50Ms }) => lagP50Ms, digits: 1 },
  { title: 'open files', of: ({ mostFiles }) => mostFiles, digits: 0 },
  { title: 'series', of: ({ series }) => series, digits: 0 },
  { title: 'scrape, ms', of: ({ scrape }) => scrape.ms, digits: 0 },
  { title: 'scrape, KB', of: ({ scrape }) => scrape.kilobytes, digits: 0 },
  { title: 'with gzip, KB', of: ({ scrape }) => scrape.packedKilobytes, digits: 0 },
  { title: 'its longest block, ms', of: ({ scrapeBlockMs }) => scrapeBlockMs, digits: 1 },
  { title: 'status, ms', of: ({ status }) => status.ms, digits: 0 },
  { title: 'page, ms', of: ({ page }) => page.ms, digits: 0 },
  { title: 'history, MiB an hour', of: ({ storeMegabytesAnHour }) => storeMegabytesAnHour, digits: 2 },
  { title: 'start, s', of: ({ startMs }) => startMs / 1000, digits: 1 },
];

/** Returns Markdown tables with each size and the cost of one more target or appliance. */
export function reportOf(results: readonly Measured[], lines: readonly LogLines[]): string {
  const rows = results.map((measured) => `| ${COLUMNS.map((column) => cell(column, measured)).join(' | ')} |`);
  return [
    `One daemon on Node ${process.version.slice(1)}, ${String(cpus().length)} cores of ` +
      `${cpus()[0]?.model ?? 'an unknown processor'}, every server 20 ms away.`,
    '',
    `| ${COLUMNS.map(({ title }) => title).join(' | ')} |`,
    `|${COLUMNS.map(() => '--:').join('|')}|`,
    ...rows,
    '',
    ...growth(results, 'targets', 'target'),
    '',
    ...growth(results, 'appliances', 'appliance'),
    '',
    ...logLines(lines),
  ].join('\n');
}

function cell({ title, of, digits }: Column, measured: Measured): string {
  const first = group(of(measured), digits);
  return title.startsWith('lag') ? `${first} / ${group(measured.lagP99Ms, digits)}` : first;
}

/** Cost of one more, for each step of ten. It is linear if the steps agree. */
function growth(results: readonly Measured[], key: 'targets' | 'appliances', noun: string): readonly string[] {
  const other = key === 'targets' ? 'appliances' : 'targets';
  const steps = results.filter((measured) => measured[other] === 1);
  const ordered = steps.toSorted((a, b) => a[key] - b[key]);
  const pairs = ordered.slice(1).flatMap((to, index) => {
    const from = ordered[index];
    return from === undefined ? [] : [{ from, to }];
  });
  const [first, last] = [ordered[0], ordered.at(-1)];
  if (first !== undefined && last !== undefined && pairs.length > 1) pairs.push({ from: first, to: last });
  const per = (
    { from, to }: { readonly from: Measured; readonly to: Measured },
    of: (measured: Measured) => number,
    digits: number,
  ): string => group((of(to) - of(from)) / (to[key] - from[key]), digits);
  return [
    `| one more ${noun}, from … to | CPU a round, ms | memory, KB | series | scrape, KB | history, KB an hour |`,
    '|---|--:|--:|--:|--:|--:|',
    ...pairs.map(
      (pair) =>
        `| ${group(pair.from[key], 0)} to ${group(pair.to[key], 0)} | ${per(pair, (m) => m.cpuMsARound, 2)} | ` +
        `${per(pair, (m) => m.rssMegabytes * 1024, 0)} | ${per(pair, (m) => m.series, 0)} | ` +
        `${per(pair, (m) => m.scrape.kilobytes, 1)} | ${per(pair, (m) => m.storeMegabytesAnHour * 1024, 1)} |`,
    ),
  ];
}

function logLines(lines: readonly LogLines[]): readonly string[] {
  return [
    '| senders of log lines (UDP) | lines | lost | CPU a line, µs |',
    '|--:|--:|--:|--:|',
    ...lines.map(
      ({ senders, sent, lost, cpuMicrosecondsALine }) =>
        `| ${group(senders, 0)} | ${group(sent, 0)} | ${group(lost, 0)} | ${group(cpuMicrosecondsALine, 0)} |`,
    ),
  ];
}

function group(value: number, digits: number): string {
  return value.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: digits });
}

/** Writes the report between its marks in bench/results.md. @throws {Error} if the marks are missing */
export async function writeReport(report: string): Promise<void> {
  const document = await readFile(DOCUMENT, 'utf8');
  const [from, to] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (from < 0 || to < from)
    throw new Error(`Cannot write the sizes: expected "${BEGIN}" and "${END}" in bench/results.md`);
  await writeFile(DOCUMENT, `${document.slice(0, from + BEGIN.length)}\n\n${report}\n\n${document.slice(to)}`);
}
