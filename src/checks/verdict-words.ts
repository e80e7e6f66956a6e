import { compareSeverity } from '../core/severity.ts';
import type { EpochMs, Millis } from '../core/clock.ts';
import { counted } from '../core/visible-text.ts';
import { readinessAt, recordedState } from '../engine/availability.ts';
import { type Cause, type Diagnosis, impactOf, type PreconditionStatus, type Readiness } from '../engine/model.ts';
import { capital, clauseOf, inSentence } from '../engine/words.ts';
import { stepOrder } from './activation-steps.ts';
import { headline } from './headline.ts';
import { isAgentCause } from './registry.ts';

export type VerdictLook = Readiness | 'warning';

interface VerdictWords {
  readonly look: VerdictLook;
  readonly text: string;
  /** The impact with which the text begins. Null if there is none. */
  readonly impact: string | null;
}

/** Whether activation works, in a few words for people. Programs read `ready`. */
export function verdictWords({ ready, causes }: Pick<Diagnosis, 'ready' | 'causes'>): VerdictWords {
  const faults = faultsOf(causes);
  switch (ready) {
    case 'unknown':
      return { look: 'unknown', text: `Unknown whether ${inSentence(WORKS)}`, impact: null };
    case 'ready':
      return faults.length === 0
        ? { look: 'ready', text: WORKS, impact: null }
        : { look: 'warning', text: `${WORKS}, ${counted(faults.length, 'warning')}`, impact: null };
    case 'not-ready': {
      const impacts = faults.map(([cause]) => shortImpact(cause));
      const impact = impacts.includes(NO_ACTIVATION) ? NO_ACTIVATION : (impacts[0] ?? NO_ACTIVATION);
      const text = `${impact}${faults.length > 1 ? `, ${counted(faults.length, 'fault')}` : ''}`;
      return { look: ready, text, impact };
    }
  }
}

/** Like `verdictWords`, but unknown if the result is too old. */
export function verdictAt(now: EpochMs, diagnosis: Diagnosis | null, knownFor: Millis): VerdictWords {
  if (diagnosis === null) return { look: 'unknown', text: 'Starting', impact: null };
  return verdictWords({ ...diagnosis, ready: readinessAt(now, diagnosis, knownFor) });
}

const WORKS = 'Activation works';

/** Says more than the impact of any other fault. */
const NO_ACTIVATION = shortImpact({ impact: impactOf('activation', { licenseActive: null, offlineSupported: null }) });

/** The first sentence of an impact is its short form. */
export function shortImpact({ impact }: Pick<Cause, 'impact'>): string {
  return capital(clauseOf(impact));
}

/** What an impact says after its short form. */
export function restOfImpact({ impact }: Pick<Cause, 'impact'>): string {
  return impact.slice(clauseOf(impact).length + 1).trim();
}

/** The checks because of which it is unknown whether activation works. */
export function unknownChecks({
  ready,
  preconditions,
}: Pick<Diagnosis, 'ready' | 'preconditions'>): readonly PreconditionStatus[] {
  return ready === 'unknown' ? preconditions.filter((status) => recordedState(status) === 'unknown') : [];
}

/** Causes that differ only in what is affected. */
export type CauseGroup = readonly [Cause, ...Cause[]];

/** Causes that need attention, without those of ftm-watch itself. */
function faultsOf(causes: readonly Cause[]): readonly CauseGroup[] {
  return causeGroups(causes.filter(({ id, severity }) => severity !== 'info' && !isAgentCause(id)));
}

/** In order of severity, then of the step of an activation that they break. */
export function causeGroups(causes: readonly Cause[]): readonly CauseGroup[] {
  const sorted = causes.toSorted((a, b) => compareSeverity(a.severity, b.severity) || stepOrder(a) - stepOrder(b));
  return [...Map.groupBy(sorted, likeness).values()].flatMap(([first, ...others]) =>
    first === undefined ? [] : [[first, ...others] as const],
  );
}

/** Equal for causes that differ only in their subject and what follows from it: evidence, and names in commands. */
function likeness(cause: Cause): string {
  const { id, kind, severity, confidence, product, culprit, observed, summary, impact, remedySteps } = cause;
  const texts = JSON.stringify([observed, summary, impact, remedySteps.map(({ text }) => text)]);
  const general = namesIn(cause).reduce((text, name) => text.replaceAll(name, '{}'), texts);
  return JSON.stringify([id, kind, severity, confidence, product, culprit, general]);
}

/** A host is also named without its port, and a port without its host. */
function namesIn({ subject }: Cause): readonly string[] {
  const [, host = '', port = ''] = /^(.+):(\d+)$/u.exec(subject) ?? [];
  return [subject, host, port].filter((name) => name !== '');
}

/** Begins with a capital letter. For several causes, says how many are affected. */
export function groupHeadline([first, ...others]: CauseGroup): string {
  if (others.length === 0) return capital(headline(first));
  const { subject, observed, ...rest } = first;
  const general = headline({
    ...rest,
    subject: '',
    ...(observed === undefined ? {} : { observed: observed.replaceAll(subject, 'the server') }),
  });
  const all = affected([first, ...others]);
  const told = general.replace(/(?<= (?:to|reach) )the server\b/u, all);
  return capital(told === general ? `${general} (${all})` : told);
}

/** For example `24 services`. */
export function affected(causes: CauseGroup): string {
  const areServers = causes.every(({ subject }) => /:\d+$/u.test(subject));
  return areServers ? counted(causes.length, 'server') : `${String(causes.length)} affected`;
}
