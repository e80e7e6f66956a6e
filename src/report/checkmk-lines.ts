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
  /** Also true for what belongs to no single unit, such as a licence, which is shown at all of them. */
  readonly isAbout: (subject: string) => boolean;
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
    const { precondition: id } = place;
    if (id === null) return siteAnswer(site, place, diagnosis, looked);
    return site.isCurrent ? preconditionAnswer(id, place, diagnosis, looked) : unknownAnswer(site.text);
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
    ...OF_UNITS.map((precondition) => line({ precondition, units: members, isAbout: isAboutOne(members, units) })),
  ]);
  return [
    ...own.map((precondition) => line({ precondition, units: null, isAbout: () => true })),
    ...hosts,
    ...(hosts.length === 0 ? [] : ['<<<<>>>>', SECTION]),
    '',
  ].join('\n');
}

function isAboutOne(members: readonly string[], all: readonly string[]): Place['isAbout'] {
  return (subject) => {
    const unit = unitOf(subject);
    return members.includes(unit) || !all.includes(unit);
  };
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

function siteAnswer(site: SiteState, place: Place, diagnosis: SeenDiagnosis, looked: Looked): Answer {
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
      ? [...counts, ...quantitiesAt(place, diagnosis)]
      : counts.filter(([name]) => name === 'round_age'),
  };
}

function remedyText(step: string): string {
  return `${REMEDY}: ${step}`;
}

function preconditionAnswer(id: PreconditionId, place: Place, diagnosis: SeenDiagnosis, looked: Looked): Answer {
  const status = diagnosis.preconditions.find((one) => one.id === id);
  if (status === undefined) return unknownAnswer('The running daemon has a different version');
  const isHere = ({ subject }: Fault): boolean => place.isAbout(subject);
  const faults = diagnosis.causes.filter(({ precondition, severity }) => precondition === id && severity !== 'info');
  const causes = faults.filter(isHere);
  const here = {
    causes,
    open: openAt(id, looked).filter(isHere),
    isElsewhere: isFaulty(status) && faults.length > 0 && causes.length === 0,
    isOwnState: place.units === null || faults.length === 0,
  };
  return { ...toldAt(status, here), metrics: quantitiesAt(place, diagnosis) };
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
  if (open.length > 0 && (state === 'ok' || isElsewhere))
    return faultTold(CHECK_EXIT.warnings, open, summary, 'no longer found');
  if (open.length > 0 && isLeftOut) return faultTold(CHECK_EXIT.warnings, open, summary, 'unknown');
  if (isElsewhere) return { state: CHECK_EXIT.ready, text: 'This unit does not have the fault', details: [] };
  const named = state === 'unknown' ? `${STATE_WORDS[state]}: ` : '';
  const isUnknown = state === 'unknown' && !isLeftOut;
  return { state: isUnknown ? CHECK_EXIT.unknown : CHECK_EXIT.ready, text: `${named}${summary}`, details: [] };
}

function isFaulty({ state }: SeenPrecondition): boolean {
  return state === 'broken' || state === 'warning';
}

type Found = 'found' | 'no longer found' | 'unknown';

const CAVEATS: Readonly<Record<Found, string>> = {
  found: '',
  'no longer found': 'No longer found, but the incident is still open: ',
  unknown: 'Unknown, but an incident is still open: ',
};

/**
 * @param summary used if there is no fault
 * @param found whether the last round found the faults. What it no longer finds need not be repaired.
 */
function faultTold(state: CheckExit, faults: readonly Fault[], summary: string, found: Found = 'found'): Told {
  const [worst, ...others] = faults;
  if (worst === undefined) return { state, text: summary, details: [] };
  const step = found === 'no longer found' ? undefined : worst.remedy[0];
  return {
    state,
    text: `${CAVEATS[found]}${worst.headline}${furtherText({ worst, others: others.length })}`,
    details: [worst.summary, ...(step === undefined ? [] : [remedyText(step)])],
  };
}

function openAt(id: PreconditionId, looked: Looked): readonly Fault[] {
  if (looked.by === 'itself') return [];
  return looked.incidents
    .filter(({ cause, severity }) => severity !== 'info' && isFaultId(cause) && preconditionOf(cause) === id)
    .toSorted((a, b) => compareSeverity(a.severity, b.severity));
}

function quantitiesAt({ precondition, units, isAbout }: Place, { quantities }: SeenDiagnosis): readonly Metric[] {
  return quantities
    .filter(({ id, subject }) => (QUANTITY_PLACES.get(id) ?? null) === precondition && isAbout(subject))
    .map(({ id, subject, value }) => [
      metricName(units?.length === 1 && units.includes(subject) ? id : `${id}_${subject}`),
      value,
    ]);
}

/** Checkmk uses the name as a part of a file's name. */
function metricName(text: string): string {
  return text.replaceAll(/\W/gu, '_').slice(0, 100);
}
