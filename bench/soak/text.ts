import { FAULT_IDS } from '../../src/checks/registry.ts';
import type { EpochMs, Millis } from '../../src/core/clock.ts';
import type { JudgedInjection } from './judge.ts';
import type { Memory } from './protocol.ts';
import type { SoakOutcome } from './soak.ts';

/** Maximum growth of resident memory from the first day to the end. */
const MAY_GROW = 0.1;

export function isGood({ judgement, evidence, memory }: SoakOutcome): boolean {
  const isComplete = judgement.injections.every(({ complaints }) => complaints.length === 0);
  return (
    isComplete && judgement.falseAlarms.length === 0 && evidence.errors.length === 0 && growthOf(memory) <= MAY_GROW
  );
}

/** Growth as a share of the memory after the first day. */
function growthOf(memory: readonly Memory[]): number {
  const [first] = memory;
  const last = memory.at(-1);
  return first === undefined || last === undefined ? 0 : last.resident / first.resident - 1;
}

/** Returns the causes of the catalogue that no fault of this run had. */
function missingCauses({ plan }: SoakOutcome): readonly string[] {
  const injected = new Set<string>(plan.injections.map(({ fault }) => fault.cause));
  return FAULT_IDS.filter((cause) => !injected.has(cause));
}

/** Returns the table of all faults, and all problems. */
export function textOf(outcome: SoakOutcome, start: EpochMs): string {
  const { judgement, plan, evidence, memory, unexplained } = outcome;
  const { injections, falseAlarms } = judgement;
  const found = injections.filter(({ foundAfter }) => foundAfter !== null).length;
  const right = injections.filter(({ complaints }) => complaints.length === 0).length;
  const missing = missingCauses(outcome);
  return [
    '',
    row(['begins (UTC)', 'fault', 'cause', 'moment', 'found after', 'told', 'ended', '']),
    ...injections.flatMap((injection) => [rowOf(injection, start), ...courseOf(outcome, injection, start)]),
    '',
    `faults: ${String(injections.length)} injected, ${String(found)} found, ${String(right)} right in everything`,
    `causes never injected: ${missing.length === 0 ? 'none' : missing.join(', ')}`,
    `noise: ${String(plan.noise.length)} events of ` +
      `${String(new Set(plan.noise.map(({ noise }) => noise.name)).size)} kinds, ${String(plan.restarts.length)} ` +
      'more restarts',
    `false alarms: ${String(falseAlarms.length)}`,
    ...falseAlarms.map(({ at, what }) => `  ${instant(start + at)} ${what}${surroundings(outcome, at, start)}`),
    `errors in its own log: ${String(evidence.errors.length)}`,
    ...evidence.errors.slice(0, 20).map(({ at, text }) => `  ${instant(start + at)} ${text}`),
    `resident memory: ${memoryText(memory[0])} after the first day, ${memoryText(memory.at(-1))} at the end ` +
      `(${(growthOf(memory) * 100).toFixed(1)} %)`,
    `waits without a reason: ${String(unexplained)}`,
    '',
  ].join('\n');
}

function rowOf({ injection, foundAfter, firing, resolved, complaints }: JudgedInjection, start: EpochMs): string {
  const { fault, moment, from } = injection;
  return row([
    instant(start + from),
    fault.name,
    fault.cause,
    moment,
    foundAfter === null ? 'never' : `${(foundAfter / 60_000).toFixed(1)} min`,
    String(firing),
    String(resolved),
    complaints.join('; '),
  ]);
}

/** Returns the evidence for a fault that was not handled as expected. */
function courseOf(
  { evidence }: SoakOutcome,
  { injection, complaints }: JudgedInjection,
  start: EpochMs,
): readonly string[] {
  if (complaints.length === 0) return [];
  const { from, to } = injection;
  const lines = [
    ...evidence.changes.map(({ at, transition, cause, subject, incident }) => ({
      at,
      text: `${transition ?? ''} ${cause ?? ''} ${subject ?? ''} (${incident ?? ''})`,
    })),
    ...evidence.mails.map(({ at, event, causes, subject }) => ({
      at,
      text: `mail "${event}" ${causes.join(', ')}: ${subject}`,
    })),
  ];
  return [
    `      until ${instant(start + to)}`,
    ...lines
      .filter(({ at }) => at >= from - 60_000 && at <= to + AFTERWARDS)
      .toSorted((a, b) => a.at - b.at)
      .map(({ at, text }) => `      ${instant(start + at)} ${text}`),
  ];
}

const AFTERWARDS: Millis = 125 * 60_000;
const WIDTHS = [17, 27, 27, 21, 12, 5, 6] as const;

function row(cells: readonly string[]): string {
  return cells
    .map((cell, index) => cell.padEnd(WIDTHS[index] ?? 0))
    .join(' ')
    .trimEnd();
}

/** Returns the events around that time. */
function surroundings({ plan }: SoakOutcome, at: Millis, start: EpochMs): string {
  const near = [
    ...plan.noise.map(({ noise, from, to }) => ({ name: noise.name, from, to })),
    ...plan.injections.map(({ fault, from, to }) => ({ name: `fault ${fault.name}`, from, to })),
    ...plan.restarts.map((from) => ({ name: 'restart', from, to: from })),
  ].filter(({ from, to }) => at >= from - 60_000 && at <= to + 60 * 60_000);
  return near
    .map(({ name, from, to }) => `\n      near ${instant(start + from)} to ${instant(start + to)}: ${name}`)
    .join('');
}

function instant(at: EpochMs): string {
  return new Date(at).toISOString().slice(5, 16).replace('T', ' ');
}

/** Resident memory, and the part that the program counts as in use. */
export function memoryText(memory: Memory | undefined): string {
  if (memory === undefined) return 'unknown';
  return `${megabytes(memory.resident)} (heap ${megabytes(memory.heap)}, external ${megabytes(memory.external)})`;
}

function megabytes(bytes: number): string {
  return `${String((bytes / 1024 ** 2).toFixed(1))} MiB`;
}
