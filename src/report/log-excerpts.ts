import type { EpochMs } from '../core/clock.ts';
import { isWithin, type Period } from '../core/period.ts';
import type { ApplianceLog, FirewallSighting, SignatureLog } from '../core/polling/state.ts';
import { isoTime } from '../core/instant-text.ts';
import type { Mask } from '../text/mask.ts';
import type { LogMemory } from './report-contents.ts';

/** Log lines that say something of FortiToken Mobile, without what tells who a person is. */
export interface LogExcerpts {
  /** Why there are none, or that some may be missing; null: everything works. */
  readonly note: string | null;
  /** Lines that were recognised, but not kept. */
  readonly dropped: number;
  /** Oldest first. */
  readonly lines: readonly LogExcerpt[];
}

export interface LogExcerpt {
  /** ISO 8601, UTC. */
  readonly at: string;
  /** Configured name of the appliance, `unnamed`, or the firewall by the name that it gives itself. */
  readonly from: string;
  readonly signature: string;
  /** Lines alike that came together. */
  readonly count: number;
  /** Control characters replaced, names and codes masked. */
  readonly line: string;
}

type Kept = Omit<LogExcerpt, 'at' | 'line'> & { readonly at: EpochMs; readonly line: string };

const MAX_LINES = 500;

export interface ExcerptOptions {
  readonly mask: Mask;
  readonly period: Period;
}

/** Lines of the period. */
export function logExcerpts(memory: LogMemory, { mask, period }: ExcerptOptions): LogExcerpts {
  switch (memory.kind) {
    case 'none':
      return { note: 'No log line was kept: no daemon with "logs" has run with this store', dropped: 0, lines: [] };
    case 'unreadable':
      return { note: `The log lines that were kept cannot be read: ${memory.message}`, dropped: 0, lines: [] };
    case 'read':
      break;
  }
  const { appliances, firewall } = memory.state;
  const kept = [
    ...Object.entries(appliances).flatMap(([name, log]) => ofAppliance(name, log)),
    ...firewall.map(ofFirewall),
  ];
  const latest = kept.toSorted((a, b) => a.at - b.at).slice(-MAX_LINES);
  const meant = latest.filter(({ at }) => isWithin(period, at));
  const heard =
    sum(Object.values(appliances).flatMap((log) => Object.values(log.signatures).map(heardOf))) +
    sum(firewall.map(({ count }) => count));
  return {
    note: meant.length === 0 ? 'No line of FortiToken Mobile trouble was heard' : null,
    dropped: Math.max(0, heard - sum(latest.map(({ count }) => count))),
    lines: meant.map((excerpt) => ({ ...excerpt, at: isoTime(excerpt.at), line: mask.line(excerpt.line) })),
  };
}

/** The excerpts as a text file; ends with a line break. */
export function logExcerptsText({ note, dropped, lines }: LogExcerpts): string {
  return [
    '# Log lines that say something of FortiToken Mobile: when they were heard (UTC), from whom, what they were ' +
      'recognised as, how many',
    '# came together. Names of users, mail addresses, phone numbers and codes are masked; other lines of the log ' +
      'are never kept.',
    ...(note === null ? [] : [`# ${note}`]),
    ...(dropped === 0 ? [] : [`# ${String(dropped)} more were recognised, but only the latest of each kind are kept`]),
    ...lines.map(({ at, from, signature, count, line }) => `${at} ${from} ${signature} ×${String(count)}: ${line}`),
    '',
  ].join('\n');
}

function ofAppliance(name: string, { signatures }: ApplianceLog): readonly Kept[] {
  return Object.entries(signatures).flatMap(([signature, log]) =>
    recentOf(log).map(({ at, count, line }) => ({ at, from: name, signature, count, line })),
  );
}

/** An older version kept the last line only. */
function recentOf({ recent, lastAt, sample }: SignatureLog): NonNullable<SignatureLog['recent']> {
  return recent ?? [{ at: lastAt, count: 1, line: sample }];
}

function heardOf({ heard, buckets }: SignatureLog): number {
  return heard ?? sum(buckets.map(({ count }) => count));
}

/** Of what firewalls say, the last line of each kind is kept. */
function ofFirewall({ signature, lastAt, evidence, sample }: FirewallSighting): Kept {
  return { at: lastAt, from: evidence.device ?? 'firewall', signature, count: 1, line: sample };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
