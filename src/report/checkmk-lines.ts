import { unitOf } from '../checks/named-subjects.ts';
import { CHECKS, isFaultId, type PreconditionId, preconditionOf, titleOf } from '../checks/registry.ts';
import { compareSeverity } from '../core/severity.ts';
import {
  CHECK_EXIT,
  type CheckExit,
  type Looked,
  type SeenDiagnosis,
  type SiteState,
  siteState,
} from '../document/site-state.ts';
import { REMEDY } from '../document/incident-story.ts';
import { STATE_WORDS } from '../document/states.ts';
import type { QuantityId } from '../engine/model.ts';
import { capital } from '../engine/words.ts';
import { countsOf, furtherText, harmless } from './nagios-line.ts';

type SeenPrecondition = SeenDiagnosis['preconditions'][number];
type Fault = Pick<SeenDiagnosis['causes'][number], 'severity' | 'subject' | 'headline' | 'summary' | 'remedy'> & {
  readonly since?: string;
};

/** A service of Checkmk: a precondition of a host. */
interface Place {
  /** Null: the whole site. */
  readonly precondition: PreconditionId | null;
  /** The units that are this host. Null: the host on which ftm-watch runs. */
  readonly units: readonly string[] | null;
}

interface Answer {
  readonly state: CheckExit;
  readonly text: string;
  /** Lines that Checkmk shows below the text, in the details of the service. */
  readonly details: readonly string[];
  readonly metrics: readonly Metric[];
}

type Metric = readonly [name: string, value: number | string];

/** The preconditions whose faults belong to a unit. */
const OF_UNITS: readonly PreconditionId[] = ['appliance', 'license-assignment', 'token-pool', 'polling'];

/** All other quantities belong to the service for the whole site. */
const QUANTITY_PLACES: ReadonlyMap<string, PreconditionId> = new Map<QuantityId, PreconditionId>([
  ['license-days', 'license-assignment'],
  ['polling-errors', 'polling'],
  ['sms-left', 'delivery'],
  ['tokens-free', 'token-pool'],
]);

/**
 * Returns the output of a local check (https://docs.checkmk.com/latest/en/localchecks.html), with a line for the whole
 * site and for each precondition. The services do not depend on the states, because Checkmk reports missing services.
 * @param units if there are any, the lines about them are for the hosts with their names (piggyback)
 */
export function checkmkLines(diagnosis: SeenDiagnosis, looked: Looked, units: readonly string[]): string {
  const site = siteState(diagnosis, looked);
  return linesOf(units, (place) => {
    const asked = { diagnosis, looked, units, place };
    if (place.precondition === null) return siteAnswer(site, asked);
    return site.isCurrent ? preconditionAnswer(place.precondition, asked) : unknownAnswer(site.text);
  });
}

/** Used if a local problem prevented the check. All services are unknown. */
export function checkmkUnknown(reason: string, units: readonly string[]): string {
  return linesOf(units, () => unknownAnswer(reason));
}

/** The agent writes the same line before the output of all its local checks. */
const SECTION = '<<<local:sep(0)>>>';

/** After the lines for other hosts, the section is opened again for the local checks that the agent runs next. */
function linesOf(units: readonly string[], answerAt: (place: Place) => Answer): string {
  const isElsewhere = (id: PreconditionId): boolean => units.length > 0 && OF_UNITS.includes(id);
  const own = [null, ...CHECKS.map(({ id }) => id).filter((id) => !isElsewhere(id))];
  const line = (place: Place): string => lineOf(place.precondition, answerAt(place));
  const hosts = [...Map.groupBy(units, hostName)].flatMap(([host, members]) => [
    `<<<<${host}>>>>`,
    SECTION,
    ...OF_UNITS.map((precondition) => line({ precondition, units: members })),
  ]);
  return [
    ...own.map((precondition) => line({ precondition, units: null })),
    ...hosts,
    ...(hosts.length === 0 ? [] : ['<<<<>>>>', SECTION]),
    '',
  ].join('\n');
}

/** Checkmk also replaces other characters, and ignores hosts whose names begin with a punctuation mark. */
function hostName(unit: string): string {
  return unit.replaceAll(/[^\w.-]/gu, '_').replace(/^[.-]/u, '_');
}

function lineOf(precondition: PreconditionId | null, { state, text, details, metrics }: Answer): string {
  const title = precondition === null ? 'Activation' : titleOf(precondition);
  const data = [...new Map(metrics)].map(([name, value]) => `${name}=${String(value)}`).join('|');
  const lines = [text, ...details].map(harmlessText).filter((one) => one !== '');
  // Checkmk shows a service without text as OK, whatever its state is.
  return `${String(state)} "FTM ${title}" ${data || '-'} ${lines.join(String.raw`\n`) || 'No details are known'}`;
}

/**
 * Checkmk starts a new line at each `\n` that the text contains in these two characters. `>` separates the parts of a
 * menu path.
 */
function harmlessText(text: string): string {
  return harmless(text.replaceAll('<', '‹').replaceAll('>', '›')).replaceAll(String.raw`\n`, '/n').trim();
}

function unknownAnswer(reason: string): Answer {
  return { state: CHECK_EXIT.unknown, text: reason, details: [], metrics: [] };
}

interface Asked {
  readonly diagnosis: SeenDiagnosis;
  readonly looked: Looked;
  readonly units: readonly string[];
  readonly place: Place;
}

function siteAnswer(site: SiteState, { diagnosis, looked, units, place }: Asked): Answer {
  const counts = countsOf(diagnosis, looked).map(({ name, value }): Metric => [name, value]);
  return {
    state: site.exitCode,
    text: `${capital(site.text)}${furtherText(site)}${site.note}`,
    details: [
      ...(site.worst === null ? [] : [site.worst.summary]),
      ...(site.remedy === null ? [] : [remedyText(site.remedy)]),
    ],
    // The numbers of an old round would hide that the current ones are unknown.
    metrics: site.isCurrent
      ? [...counts, ...quantitiesAt(place, diagnosis, units)]
      : counts.filter(([name]) => name === 'round_age'),
  };
}

function remedyText(step: string): string {
  return `${REMEDY}: ${step}`;
}

function preconditionAnswer(id: PreconditionId, { diagnosis, looked, units, place }: Asked): Answer {
  const status = diagnosis.preconditions.find((one) => one.id === id);
  if (status === undefined) return unknownAnswer('The running daemon has a different version');
  const isHere = ({ subject }: Fault): boolean => isAbout(subject, place, units);
  const faults = diagnosis.causes.filter(({ precondition, severity }) => precondition === id && severity !== 'info');
  const causes = faults.filter(isHere);
  const here = {
    causes,
    open: openAt(id, looked).filter(isHere),
    isElsewhere: isFaulty(status) && faults.length > 0 && causes.length === 0,
    isOwnState: place.units === null || faults.length === 0,
  };
  return { ...toldAt(status, here), metrics: quantitiesAt(place, diagnosis, units) };
}

interface FaultsHere {
  readonly causes: readonly Fault[];
  /** Open incidents, which the last round may not have found. */
  readonly open: readonly Fault[];
  /** All faults of the precondition belong to other units. */
  readonly isElsewhere: boolean;
  /** The precondition's state is that of the place, because the place is not a unit, or no fault is known. */
  readonly isOwnState: boolean;
}

type Told = Omit<Answer, 'metrics'>;

function toldAt(status: SeenPrecondition, { causes, open, isElsewhere, isOwnState }: FaultsHere): Told {
  const { state, summary, isLeftOut } = status;
  if (isFaulty(status) && !isElsewhere) {
    const isCritical = state === 'broken' && (isOwnState || causes.some(({ severity }) => severity === 'critical'));
    return faultTold(isCritical ? CHECK_EXIT.notReady : CHECK_EXIT.warnings, causes, summary);
  }
  if (open.length > 0 && (state === 'ok' || isElsewhere || isLeftOut))
    return faultTold(CHECK_EXIT.warnings, open, summary, 'No longer found, but the incident is still open: ');
  if (isElsewhere) return { state: CHECK_EXIT.ready, text: 'This unit does not have the fault', details: [] };
  const named = state === 'unknown' || state === 'not-configured' ? `${STATE_WORDS[state]}: ` : '';
  const isUnknown = state === 'unknown' && !isLeftOut;
  return { state: isUnknown ? CHECK_EXIT.unknown : CHECK_EXIT.ready, text: `${named}${summary}`, details: [] };
}

function isFaulty({ state }: SeenPrecondition): boolean {
  return state === 'broken' || state === 'warning';
}

/** @param summary used if there is no fault */
function faultTold(state: CheckExit, faults: readonly Fault[], summary: string, caveat = ''): Told {
  const [worst, ...others] = faults;
  if (worst === undefined) return { state, text: summary, details: [] };
  const [step] = worst.remedy;
  return {
    state,
    text: `${caveat}${worst.headline}${furtherText({ worst, others: others.length })}`,
    details: [worst.summary, ...(step === undefined ? [] : [remedyText(step)])],
  };
}

function openAt(id: PreconditionId, looked: Looked): readonly Fault[] {
  if (looked.by === 'itself') return [];
  return looked.incidents
    .filter(({ cause, severity }) => severity !== 'info' && isFaultId(cause) && preconditionOf(cause) === id)
    .toSorted((a, b) => compareSeverity(a.severity, b.severity));
}

/** A fault that belongs to no single unit, such as that of a licence, is shown at all of them. */
function isAbout(subject: string, { units }: Place, all: readonly string[]): boolean {
  const unit = unitOf(subject);
  return units === null || units.includes(unit) || !all.includes(unit);
}

function quantitiesAt(place: Place, { quantities }: SeenDiagnosis, units: readonly string[]): readonly Metric[] {
  return quantities
    .filter(
      ({ id, subject }) => (QUANTITY_PLACES.get(id) ?? null) === place.precondition && isAbout(subject, place, units),
    )
    .map(({ id, subject, value }) => [
      metricName(place.units?.length === 1 && place.units.includes(subject) ? id : `${id}_${subject}`),
      value,
    ]);
}

/** Checkmk uses the name as a part of a file's name. */
function metricName(text: string): string {
  return text.replaceAll(/\W/gu, '_').slice(0, 100);
}
