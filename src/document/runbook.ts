import { impactOf, type RemedyStep, sentenceStep, type Step } from '../engine/model.ts';
import { remedyOf, fill, type WordingFacts } from '../engine/remedy-words.ts';
import { CAUSE_IDS, CHECKS, wordsOf, type CauseId } from '../checks/registry.ts';
import {
  type LinkedStep,
  list,
  type Paragraph,
  type Part,
  type Section,
  section,
  text,
  type Word,
} from './document.ts';

/**
 * Instructions that do not depend on a specific incident. They contain the same text as incidents, so that mails, web
 * pages and runbooks always agree.
 */
export interface Runbook {
  /** The file name in the documentation: the cause's ID, unless several causes share the runbook. */
  readonly name: string;
  readonly causes: readonly CauseId[];
  readonly title: string;
  readonly intro: readonly Part[];
  readonly sections: readonly Section[];
}

/** Placeholders that the commands already contain. */
type OnlyInCommands = 'incoming' | 'outgoing' | 'vdom' | 'nat' | 'schedule' | 'security';

const PLACES: Omit<Required<WordingFacts>, OnlyInCommands | 'config'> = {
  runbook: true,
  subject: '<target>',
  host: 'fortitokenmobile.fortinet.com',
  port: '443',
  address: '<address>',
  clean: '<another address>',
  proxy: '<proxy>',
  resolver: '<resolver>',
  product: '<product>',
  appliance: '<appliance>',
  serial: '<serial number>',
  primary: '<serial number of the active unit>',
  holder: '<other unit>',
  license: '<licence>',
  issuer: '<issuer>',
  failing: '<fails with an error>',
  waited: '<time>',
  life: '<code lifetime>',
  date: '<date>',
  firewall: '<firewall>',
  unclear: '<unclear part>',
  judgement: '<flaw of the certificate>',
  configured: '<configured value>',
  found: '<found value>',
  policy: '<policy>',
  profile: '<profile>',
  culprit: '<firewall policy>',
  source: '<address of FortiAuthenticator>',
  unit: '<address of FortiAuthenticator>',
  meaning: '<meaning of the log line>',
  said: '<logged text>',
};

/** For configured hosts other than the licence server. */
const PLACES_OF_SERVICES: WordingFacts = { ...PLACES, host: '<host>', port: '<port>' };

const HELP = 'Help';

const COMMON_SECTIONS: readonly Section[] = [
  section(
    HELP,
    list(
      ['The status page and messages show the same steps with your own values instead of <brackets>.'],
      ['If a section describes your variant, follow it instead of "Mitigation".'],
      ['Confirmed: the observations have no other explanation. Suspected: other explanations remain.'],
      ['In commands, replace each word that begins with `FILL-IN` (see below).'],
      ['With FortiAuthenticator 6.6.1 and later, users can activate offline while the licence server is unreachable.'],
      ['A source such as `ta-p/194050` is a technical tip at community.fortinet.com.'],
    ),
  ),
  section(
    'Silence the incident',
    text(
      'As root on the machine that runs ftm-watch, run ',
      '`ftm-watch silence add --for 8h --cause CAUSE --comment "REASON"` (',
      { document: 'alerting.md' },
      "). With an account, you can also use the form on the incident's page.",
    ),
  ),
  section(
    'Check the repair',
    text(
      'Run `ftm-watch check --verify INCIDENT`, then retry the activation on FortiAuthenticator. The incident is ',
      'closed after `notify.policy.recoveries` rounds without the cause.',
    ),
  ),
  section(
    'Get help',
    text(
      '`ftm-watch report` writes an archive with the evidence for Fortinet TAC. ',
      'If ftm-watch itself does not work, see ',
      { document: 'troubleshooting.md' },
      '.',
    ),
  ),
];

export function runbookOf(id: CauseId): Runbook {
  const causes = causesOfPage(id);
  const [first = id] = causes;
  const words = wordsOf(first);
  const { name = first, title = words.title } = words.runbook ?? {};
  const sources = [...new Set(causes.flatMap((cause) => wordsOf(cause).sources ?? []))];
  return {
    name,
    causes,
    title: capitalised(title),
    intro: [text(...introOf(causes), ' ', { procedure: HELP }, '.')],
    sections: [
      { title: 'Meaning', parts: [textsOf(causes, meaningOf)] },
      { title: 'Impact', parts: [textsOf(causes, effectOf)] },
      ...eachStepOnce(listsOfPage(causes)).map(sectionOfList),
      ...(sources.length === 0 ? [] : [{ title: 'Sources', parts: [text(...sourceWords(sources))] }]),
    ],
  };
}

export function procedurePage(): Pick<Runbook, 'title' | 'intro' | 'sections'> {
  return {
    title: 'Procedures',
    intro: [text('Steps that several runbooks share.')],
    sections: [
      ...COMMON_SECTIONS,
      { title: 'Placeholders', parts: [{ kind: 'list', lines: placeholders() }] },
      ...PROCEDURES.map(sectionOfList),
    ],
  };
}

function placeholders(): readonly Paragraph[] {
  const steps = CAUSE_IDS.flatMap(listsOf).flatMap(({ steps }) => steps);
  const meanings = Map.groupBy(
    steps.flatMap(({ blanks }) => blanks),
    ({ name }) => name,
  );
  return [...meanings]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, blanks]) => [{ code: name }, `: ${[...new Set(blanks.map(({ meaning }) => meaning))].join(', or ')}`]);
}

function causesOfPage(id: CauseId): readonly CauseId[] {
  const name = wordsOf(id).runbook?.name;
  return name === undefined ? [id] : CAUSE_IDS.filter((other) => wordsOf(other).runbook?.name === name);
}

function introOf(causes: readonly CauseId[]): readonly Word[] {
  const severities = new Set(causes.map((cause) => wordsOf(cause).severity));
  const ids = causes.flatMap((cause, index): readonly Word[] => [
    ...(index === 0 ? [] : [', ']),
    { code: cause },
    ...(severities.size === 1 ? [] : [` (${wordsOf(cause).severity})`]),
  ]);
  return [...ids, severities.size === 1 ? `, ${[...severities].join('')}.` : '.'];
}

/** Returns a list with one item per cause if the texts differ. */
function textsOf(causes: readonly CauseId[], textOf: (cause: CauseId) => string): Part {
  const texts = new Set(causes.map(textOf));
  if (texts.size === 1) return text(...texts);
  return { kind: 'list', lines: causes.map((cause) => [{ code: cause }, `: ${textOf(cause)}`]) };
}

function meaningOf(cause: CauseId): string {
  const { runbook, summary } = wordsOf(cause);
  return fill(runbook?.summary ?? summary, placesOf(cause));
}

function effectOf(cause: CauseId): string {
  return impactOf(wordsOf(cause).impact, { licenseActive: null, offlineActivation: false });
}

interface StepList {
  readonly heading: string;
  /** The variant of the fault to which the steps apply. Null if they apply to all variants. */
  readonly meaning: string | null;
  /** Empty if the general steps apply. */
  readonly steps: readonly RemedyStep[];
}

const MITIGATION = 'Mitigation';

/**
 * All of the first cause's lists are included. Each further cause adds its own steps if they differ, and its variants
 * if they require more than another procedure.
 */
function listsOfPage(causes: readonly CauseId[]): readonly StepList[] {
  const [own = [], ...others] = causes.map(listsOf);
  const known = new Set(own.flatMap((list) => [JSON.stringify(list.steps), withoutProcedures(list)]));
  const further = others.flatMap((lists, index) => {
    const { title } = wordsOf(causes[index + 1] ?? '');
    return lists.flatMap((list) => {
      const isKnown = known.has(list.heading === MITIGATION ? JSON.stringify(list.steps) : withoutProcedures(list));
      return isKnown ? [] : [list.heading === MITIGATION ? { ...list, heading: headingOf(title) } : list];
    });
  });
  return [...own.slice(0, 1), ...further, ...own.slice(1)];
}

function withoutProcedures({ heading, steps }: StepList): string {
  return JSON.stringify([heading, steps.filter((step) => !PROCEDURE_PLACES.has(JSON.stringify(step)))]);
}

function listsOf(id: CauseId): readonly StepList[] {
  const { remedy, anyProductRemedy, productRemedy = {}, kinds = {}, proxyRemedy, brokenPath, summary } = wordsOf(id);
  const places = placesOf(id);
  const general = remedyOf(remedy, places).remedySteps;
  // A summary that several variants share does not distinguish them.
  const isShared = (meaning: string): boolean =>
    [summary, ...Object.values(kinds).map((kind) => kind.summary)].filter((other) => other === meaning).length > 1;
  const variant = (heading: string, steps: readonly Step[] | undefined, meaning?: string): readonly StepList[] => {
    if (steps === undefined) return [];
    const own = remedyOf(steps, places).remedySteps;
    const described = meaning === undefined || isShared(meaning) ? null : fill(meaning, places);
    return [{ heading, meaning: described, steps: JSON.stringify(own) === JSON.stringify(general) ? [] : own }];
  };
  return [
    { heading: MITIGATION, meaning: null, steps: general },
    ...Object.entries(productRemedy).flatMap(([product, steps]) =>
      variant(`First, if the inspecting device is ${product}`, steps),
    ),
    ...variant('First, if the inspecting device is a different known product', anyProductRemedy),
    ...Object.values(kinds).flatMap((kind) => variant(headingOf(kind.title), kind.remedy, kind.summary)),
    ...variant('If the connection goes through a proxy', proxyRemedy),
    ...variant('While the path is broken', brokenPath?.remedy, brokenPath?.summary),
  ].filter(({ meaning, steps }) => meaning !== null || steps.length > 0);
}

export function headingOf(kind: string): string {
  return `If ${kind}`;
}

function sectionOfList({ heading, meaning, steps }: ShownList): Section {
  return {
    title: heading,
    parts: [
      ...(meaning === null ? [] : [text(meaning)]),
      ...(steps.length === 0 ? [] : [{ kind: 'steps', lines: steps } as const]),
    ],
  };
}

/** The location of a step. */
interface Place {
  readonly heading: string;
  readonly number: number;
  /** The number of steps in the procedure, or null if the location is on the same page. */
  readonly ofSteps: number | null;
}

/** Steps that several runbooks share and link to. */
const PROCEDURES: readonly StepList[] = [
  procedure('Create a policy on a FortiGate', wordsOf('policy-inspects-traffic').remedy.slice(0, 3)),
  procedure("Capture FortiAuthenticator's connection", wordsOf('tls-interception-suspected').remedy.slice(0, 3)),
  procedure('Exempt a name from a DNS filter', wordsOf('name-not-found').kinds?.['filtered']?.remedy),
  procedure('Find a name in the hosts file', wordsOf('answer-unexpected').kinds?.['local-name']?.remedy),
  procedure('Learn the new certificate', wordsOf('certificate-rotated').remedy),
  procedure('Send codes without the mail server', wordsOf('mail-unavailable').remedy.slice(-1)),
  procedure('Move a licence', wordsOf('license-on-peer').remedy.slice(-2)),
];

function procedure(heading: string, steps: readonly Step[] = []): StepList {
  return { heading, meaning: null, steps: remedyOf(steps, PLACES).remedySteps };
}

const PROCEDURE_STEPS = PROCEDURES.flatMap(({ heading, steps }) =>
  steps.map((step, index) => ({ step, place: { heading, number: index + 1, ofSteps: steps.length } })),
);

/** The keys are steps as JSON. */
const PROCEDURE_PLACES: ReadonlyMap<string, Place> = new Map(
  PROCEDURE_STEPS.map(({ step, place }) => [JSON.stringify(step), place]),
);

const BLOCK_PLACES: ReadonlyMap<string, Place> = new Map(
  PROCEDURE_STEPS.flatMap(({ step, place }) => (step.commands === null ? [] : [[blockKey(step), place]])),
);

function blockKey({ commands, undo }: RemedyStep): string {
  return JSON.stringify([commands, undo]);
}

/** Consecutive steps that are described elsewhere, or one step whose commands are. */
interface Run {
  /** The sentence of the step if only its commands are described elsewhere, otherwise empty. */
  readonly text: string;
  readonly first: Place;
  readonly last: Place;
}

interface ShownList extends Pick<StepList, 'heading' | 'meaning'> {
  readonly steps: readonly LinkedStep[];
}

/** Replaces repeated steps, and the commands of procedures, with references. */
function eachStepOnce(lists: readonly StepList[]): readonly ShownList[] {
  const places = new Map(PROCEDURE_PLACES);
  return lists.map(({ heading, meaning, steps }) => {
    const lines: (Run | RemedyStep)[] = [];
    for (const step of steps) {
      const key = JSON.stringify(step);
      const whole = places.get(key);
      const place = whole ?? BLOCK_PLACES.get(blockKey(step));
      const before = lines.at(-1);
      if (whole !== undefined && before !== undefined && 'last' in before && follows(whole, before))
        lines.splice(-1, 1, { ...before, last: whole });
      else
        lines.push(
          place === undefined ? step : { text: whole === undefined ? step.text : '', first: place, last: place },
        );
      if (whole === undefined) places.set(key, { heading, number: lines.length, ofSteps: null });
    }
    return { heading, meaning, steps: lines.map((line) => ('last' in line ? referenceTo(line) : line)) };
  });
}

function follows({ heading, number, ofSteps }: Place, { text: sentence, last }: Run): boolean {
  return sentence === '' && last.heading === heading && last.ofSteps === ofSteps && last.number + 1 === number;
}

function referenceTo({ text: sentence, first: { heading, number, ofSteps }, last }: Run): LinkedStep {
  const numbers =
    number === last.number ? `step ${String(number)}` : `steps ${String(number)} to ${String(last.number)}`;
  if (ofSteps === null) return sentenceStep(`Follow ${numbers} under "${heading}".`);
  const part = last.number - number + 1 === ofSteps ? '' : `${numbers} of `;
  return { ...sentenceStep(sentence), see: [`Follow ${part}`, { procedure: heading }, '.'] };
}

function placesOf(id: CauseId): WordingFacts {
  return CHECKS.find(({ causes }) => Object.hasOwn(causes, id))?.id === 'delivery' ? PLACES_OF_SERVICES : PLACES;
}

function sourceWords(sources: readonly string[]): readonly Word[] {
  return sources.flatMap((source, index): readonly Word[] => {
    const [, document] = /^docs:(.+)$/u.exec(source) ?? [];
    const url = document === undefined ? source : `https://docs.fortinet.com/document/${document}`;
    return [...(index === 0 ? [] : [', ']), URL.canParse(url) ? { url } : source];
  });
}

function capitalised(title: string): string {
  return title.startsWith('ftm-watch') ? title : `${title.charAt(0).toUpperCase()}${title.slice(1)}`;
}
