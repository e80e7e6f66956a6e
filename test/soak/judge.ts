import type { Millis } from '../../src/core/clock.ts';
import type { Injection } from './plan.ts';
import type { SaidLine } from './protocol.ts';

/** A notification as received by the administrators. */
export interface SeenMail {
  readonly at: Millis;
  /** `firing`, `resolved`, `changed`, `reminder` or `digest`. */
  readonly event: string;
  readonly causes: readonly string[];
  readonly subject: string;
  /** The mail calls the fault intermittent. */
  readonly isIntermittent: boolean;
}

/** All visible output of the product. */
export interface Evidence {
  /** Changes of incidents, from the product's log. */
  readonly changes: readonly SaidLine[];
  /** Lines of the log that report a fault of the product itself. */
  readonly errors: readonly SaidLine[];
  readonly mails: readonly SeenMail[];
}

export interface JudgedInjection {
  readonly injection: Injection;
  /** Time from the start of the fault to the incident; null if it was not found. */
  readonly foundAfter: Millis | null;
  readonly firing: number;
  readonly resolved: number;
  /** Problems with the result; empty if there are none. */
  readonly complaints: readonly string[];
}

export interface Judgement {
  readonly injections: readonly JudgedInjection[];
  /** Reports that no fault explains. */
  readonly falseAlarms: readonly { readonly at: Millis; readonly what: string }[];
}

/** Time after the end of a fault within which its end may be reported. */
const AFTERWARDS: Millis = 125 * 60_000;
const BEGINNINGS: readonly string[] = ['opened', 'reopened', 'changed'];

/** Compares the evidence with the injected faults. Pure. */
export function judge(injections: readonly Injection[], { changes, mails }: Evidence): Judgement {
  return {
    injections: injections.map((injection) =>
      judgeInjection({ injection, until: untilOf(injection, injections) }, changes, mails),
    ),
    falseAlarms: [
      ...mails
        .filter(({ isIntermittent }) => isIntermittent)
        .filter(
          ({ at }) => !injections.some(({ fault, from, to }) => fault.isShare && at >= from && at <= to + AFTERWARDS),
        )
        .map(({ at, event, subject }) => ({ at, what: `mail "${event}" of an intermittent fault: ${subject}` })),
      ...changes
        .filter(({ transition = '', severity }) => BEGINNINGS.includes(transition) && severity !== 'info')
        .filter(({ at, cause = '' }) => !injections.some((injection) => explains(injection, at, cause)))
        .map(({ at, text }) => ({ at, what: text })),
      ...mails
        .filter(
          ({ at, causes }) => !causes.every((cause) => injections.some((injection) => explains(injection, at, cause))),
        )
        .map(({ at, event, subject }) => ({ at, what: `mail "${event}": ${subject}` })),
    ].toSorted((a, b) => a.at - b.at),
  };
}

function explains({ fault, from, to }: Injection, at: Millis, cause: string): boolean {
  return isOf(fault, cause) && at >= from && at <= to + AFTERWARDS;
}

function isOf({ cause, before }: Injection['fault'], told: string): boolean {
  return told === cause || told === before;
}

/** Later reports belong to the next fault of that cause. */
function untilOf({ fault, to }: Injection, injections: readonly Injection[]): Millis {
  const next = injections.find((other) => other.from >= to && other.fault.cause === fault.cause);
  return Math.min(to + AFTERWARDS, (next?.from ?? Infinity) - 1);
}

interface Judged {
  readonly injection: Injection;
  readonly until: Millis;
}

function judgeInjection(
  { injection, until }: Judged,
  changes: readonly SaidLine[],
  mails: readonly SeenMail[],
): JudgedInjection {
  const { fault, from, to, endsWithin } = injection;
  const found = changes.find(
    ({ at, cause, transition = '' }) =>
      cause === fault.cause && BEGINNINGS.includes(transition) && at >= from && at <= to + 60_000,
  );
  const closed = changes.find(
    ({ at, cause, transition }) => cause === fault.cause && transition === 'closed' && at >= to && at <= until,
  );
  const mine = mails.filter(
    ({ at, causes }) => causes.some((cause) => isOf(fault, cause)) && at >= from && at <= until,
  );
  const count = (event: string): number =>
    mine.filter((mail) => mail.event === event || mail.event === 'digest').length;
  const [firing, resolved] = [count('firing'), count('resolved')];
  return {
    injection,
    foundAfter: found === undefined ? null : found.at - from,
    firing,
    resolved,
    complaints: [
      ...(found === undefined ? ['not found'] : closed === undefined ? ['never ended'] : []),
      ...(closed !== undefined && closed.at > to + (endsWithin ?? Infinity) ? ['ended late'] : []),
      ...wrongCounts(injection, { firing, resolved }),
    ],
  };
}

function wrongCounts(
  { fault, moment }: Injection,
  { firing, resolved }: Pick<JudgedInjection, 'firing' | 'resolved'>,
): readonly string[] {
  const wanted = fault.isTold && moment !== 'inside maintenance' ? 1 : 0;
  return [
    ...(firing === wanted ? [] : [`told ${String(firing)} times instead of ${String(wanted)}`]),
    ...(resolved === wanted ? [] : [`its end told ${String(resolved)} times instead of ${String(wanted)}`]),
  ];
}
