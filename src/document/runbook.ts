import { generalName } from '../checks/headline.ts';
import { impactOf, type RemedyStep, sentenceStep, type Step, type Variant } from '../engine/model.ts';
import { ANY_PRODUCT, wordsFor } from '../engine/words.ts';
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
 * Instructions that do not depend on a specific incident. The text is the same as in incidents, so that mails, web
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
type OnlyInCommands = 'incoming' | 'outgoing' | 'vdom' | 'nat' | 'schedule' | 'security' | 'rootpem';

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
  requested: '<host>',
  peer: '<other unit>',
  serial: '<serial number>',
  primary: '<serial number of the active unit>',
  holder: '<other unit>',
  license: '<licence>',
  issuer: '<issuer>',
  root: '<root authority>',
  failing: '<fails with an error>',
  waited: '<time>',
  life: '<code lifetime>',
  date: '<date>',
  firewall: '<firewall>',
  unclear: '<unclear part>',
  judgement: '<verdict on the certificate>',
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
      ['If a section describes your case, follow it instead of "Mitigation".'],
      ['Confirmed: the observations have no other explanation. Suspected: other explanations remain.'],
      ['In commands, replace each word that begins with `FILL-IN` (see below).'],
      [
        'With FortiAuthenticator 6.6.1 and later, users can activate offline if offline provisioning is enabled ' +
          '(Authentication > User Account Policies > Tokens > Provision mode: Offline), even if "Impact" says that ' +
          'tokens cannot be activated.',
      ],
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
      'Instead of `ftm-watch check`, run `ftm-watch check --verify INCIDENT` with the ID from the message. This ',
      'command also checks the current firewall policy. Then retry the activation on FortiAuthenticator. The ',
      'incident is closed after `notify.policy.recoveries` rounds without the cause.',
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
  const { name = first, title = generalName(words.name) } = words.runbook ?? {};
  const sources = [...new Set(causes.flatMap((cause) => wordsOf(cause).sources ?? []))];
  return {
    name,
    causes,
    title: capitalised(title),
    intro: [text(...introOf(causes), ' ', { procedure: HELP }, '.')],
    sections: [
      { title: 'Meaning', parts: [textsOf(causes, meaningOf)] },
      { title: 'Impact', parts: [textsOf(causes, effectOf)] },
      ...eachBlockOnce(listsOfPage(causes), PROCEDURE_PLACES).map(sectionOfList),
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
      ...PROCEDURES.flatMap((steps) => eachBlockOnce([steps], NO_PLACES))
        .map(sectionOfList)
        .map(withNote),
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
  return impactOf(wordsOf(cause).impact, { licenseActive: null, offlineSupported: false });
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
 * Includes all lists of the first cause. Each further cause adds its mitigation steps if they differ, and its variants
 * if they differ in more than the required procedures.
 */
function listsOfPage(causes: readonly CauseId[]): readonly StepList[] {
  const [own = [], ...others] = causes.map(listsOf);
  const known = new Set(own.flatMap((list) => [JSON.stringify(list.steps), withoutProcedures(list)]));
  const further = others.flatMap((lists, index) => {
    const { name } = wordsOf(causes[index + 1] ?? '');
    return lists.flatMap((list) => {
      const isKnown = known.has(list.heading === MITIGATION ? JSON.stringify(list.steps) : withoutProcedures(list));
      return isKnown ? [] : [list.heading === MITIGATION ? { ...list, heading: headingOf(generalName(name)) } : list];
    });
  });
  return [...own.slice(0, 1), ...further, ...own.slice(1)];
}

function withoutProcedures({ heading, steps }: StepList): string {
  return JSON.stringify([heading, steps.filter((step) => !PROCEDURE_PLACES.steps.has(JSON.stringify(step)))]);
}

function listsOf(id: CauseId): readonly StepList[] {
  const { remedy, variants = [], summary } = wordsOf(id);
  const places = placesOf(id);
  const general = remedyOf(remedy, places).remedySteps;
  // A summary that several variants share does not distinguish them.
  const isShared = (meaning: string): boolean =>
    [{ summary }, ...variants].filter((variant) => variant.summary === meaning).length > 1;
  const variantList = (variant: Variant): readonly StepList[] => {
    const heading = situationText(variant);
    if (heading === null) return [];
    const steps = remedyOf(variant.remedy ?? remedy, places).remedySteps;
    const meaning = variant.summary === undefined || isShared(variant.summary) ? null : fill(variant.summary, places);
    return [{ heading, meaning, steps: JSON.stringify(steps) === JSON.stringify(general) ? [] : steps }];
  };
  return [{ heading: MITIGATION, meaning: null, steps: general }, ...variants.flatMap(variantList)].filter(
    ({ meaning, steps }) => meaning !== null || steps.length > 0,
  );
}

/** Null if whether the variant applies depends on the incident. */
function situationText({ when, name }: Variant): string | null {
  const { kind, product, isProxied, isPathUnclear, isPathBroken } = when;
  if (isPathUnclear !== undefined) return null;
  if (isPathBroken !== undefined) return 'While the path is broken';
  if (isProxied !== undefined) return 'If the connection goes through a proxy';
  if (product !== undefined)
    return product === ANY_PRODUCT
      ? 'First, if the inspecting device is a known product without a section here'
      : `First, if the inspecting device is ${product}`;
  return kind === undefined || name === undefined ? null : headingOf(generalName(name));
}

function headingOf(kind: string): string {
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

/** The location of a step or of its commands. */
interface Place {
  readonly heading: string;
  readonly number: number;
  /** The number of steps in the procedure, or null if the location is on the same page. */
  readonly ofSteps: number | null;
}

/** The keys are JSON strings. */
interface KnownPlaces {
  readonly steps: ReadonlyMap<string, Place>;
  readonly blocks: ReadonlyMap<string, Place>;
}

const NO_PLACES: KnownPlaces = { steps: new Map(), blocks: new Map() };

const CAPTURE = "Capture FortiAuthenticator's connection";

/** Text before the steps of a procedure. */
const NOTES: ReadonlyMap<string, Part> = new Map([
  [
    CAPTURE,
    text(
      '`ftm-watch capture --print-command fortigate` prints these commands with the configured addresses. To read ' +
        'the result, see ',
      { document: 'capture.md' },
      '.',
    ),
  ],
]);

function withNote(steps: Section): Section {
  const note = NOTES.get(steps.title);
  return note === undefined ? steps : { ...steps, parts: [note, ...steps.parts] };
}

/** Steps that several runbooks share and link to. */
const PROCEDURES: readonly StepList[] = [
  procedure('Create a policy on a FortiGate', wordsOf('policy-inspects-traffic').remedy.slice(0, 3)),
  procedure(CAPTURE, wordsOf('tls-interception-suspected').remedy.slice(0, 3)),
  procedure('Exempt a name from a DNS filter', wordsFor(wordsOf('name-not-found'), { kind: 'filtered' }).remedy),
  procedure('Find a name in the hosts file', wordsFor(wordsOf('answer-unexpected'), { kind: 'local-name' }).remedy),
  procedure('Learn the new certificate', wordsOf('certificate-rotated').remedy),
  procedure('Send codes without the mail server', wordsOf('mail-unavailable').remedy.slice(-1)),
  procedure('Move a licence', wordsOf('license-on-peer').remedy.slice(-2)),
];

function procedure(heading: string, steps: readonly Step[]): StepList {
  return { heading, meaning: null, steps: remedyOf(steps, PLACES).remedySteps };
}

const PROCEDURE_PLACES: KnownPlaces = placesOfProcedures();

function placesOfProcedures(): KnownPlaces {
  const placed = PROCEDURES.flatMap(({ heading, steps }) =>
    steps.map((step, index) => ({ step, place: { heading, number: index + 1, ofSteps: steps.length } })),
  );
  return {
    steps: new Map(placed.map(({ step, place }) => [JSON.stringify(step), place] as const)),
    blocks: new Map(
      placed.flatMap(({ step, place }) => (step.commands === null ? [] : [[blockKey(step), place] as const])),
    ),
  };
}

function blockKey({ commands, undo }: RemedyStep): string {
  return JSON.stringify([commands, undo]);
}

/** Several consecutive steps that are described elsewhere. */
interface Run {
  /** The first step's sentence if only its commands are described elsewhere, otherwise empty. */
  readonly text: string;
  /** The first step as JSON. */
  readonly key: string;
  readonly places: readonly Place[];
}

interface ShownList extends Pick<StepList, 'heading' | 'meaning'> {
  readonly steps: readonly LinkedStep[];
}

/** Replaces repeated steps and command blocks with references. */
function eachBlockOnce(lists: readonly StepList[], known: KnownPlaces): readonly ShownList[] {
  const [steps, blocks] = [new Map(known.steps), new Map(known.blocks)];
  return lists.map(({ heading, meaning, steps: own }) => {
    const lines: (Run | LinkedStep)[] = [];
    for (const step of own) {
      const key = JSON.stringify(step);
      const whole = steps.get(key);
      const place = whole ?? (step.commands === null ? undefined : blocks.get(blockKey(step)));
      const last = lines.at(-1);
      if (whole === undefined) {
        const here = { heading, number: lines.length + 1, ofSteps: null };
        steps.set(key, here);
        if (place === undefined && step.commands !== null) blocks.set(blockKey(step), here);
      }
      if (place === undefined) lines.push(additionTo(step) ?? step);
      else if (whole !== undefined && last !== undefined && 'places' in last && follows(place, last)) {
        lines.splice(-1, 1, { ...last, places: [...last.places, place] });
        // The line now refers to several steps, so later steps must not link to it as the first step.
        if (last.text !== '') steps.delete(last.key);
      } else lines.push({ text: whole === undefined ? ownSentences(step.text, place) : '', key, places: [place] });
    }
    return { heading, meaning, steps: lines.map((line) => ('places' in line ? referenceTo(line) : line)) };
  });
}

/** Omits the last sentences if the procedure's step ends with the same sentences. */
function ownSentences(sentences: string, { heading, number, ofSteps }: Place): string {
  if (ofSteps === null) return sentences;
  const steps = PROCEDURES.find((one) => one.heading === heading)?.steps ?? [];
  const shared = steps[number - 1]?.text.split(BETWEEN_SENTENCES) ?? [];
  const own = sentences.split(BETWEEN_SENTENCES);
  while (own.length > 1 && own.at(-1) === shared.pop()) own.pop();
  return own.join(' ');
}

const BETWEEN_SENTENCES = /(?<=\.) /u;

function follows({ heading, number, ofSteps }: Place, { places }: Run): boolean {
  const last = places.at(-1);
  return last?.heading === heading && last.ofSteps === ofSteps && last.number + 1 === number;
}

function referenceTo({ text: sentence, places }: Run): LinkedStep {
  const [first, last] = [places[0], places.at(-1)];
  if (first === undefined || last === undefined) return sentenceStep(sentence);
  const { heading, number, ofSteps } = first;
  const joint = last.number === number + 1 ? 'and' : 'to';
  const numbers = first === last ? `step ${String(number)}` : `steps ${String(number)} ${joint} ${String(last.number)}`;
  if (ofSteps !== null) {
    const part = places.length === ofSteps ? '' : `${numbers} of `;
    return { ...sentenceStep(sentence), see: [`Follow ${part}`, { procedure: heading }, '.'] };
  }
  return sentenceStep(
    sentence === ''
      ? `Follow ${numbers} under "${heading}".`
      : `${sentence} Use the commands from ${numbers} under "${heading}".`,
  );
}

/** Returns a step with only the commands that the procedure lacks, or null. */
function additionTo(step: RemedyStep): LinkedStep | null {
  const lines = step.commands?.split('\n') ?? [];
  for (const { heading, steps } of PROCEDURES)
    for (const [index, { commands, undo }] of steps.entries()) {
      const known = commands?.split('\n') ?? [];
      const added = lines.filter((line) => !known.includes(line));
      const isMore = added.length > 0 && lines.length === known.length + added.length;
      if (undo === null || undo !== step.undo || !isMore) continue;
      return {
        ...step,
        commands: added.map((line) => line.trim()).join('\n'),
        undo: null,
        see: [`Follow step ${String(index + 1)} of `, { procedure: heading }, ', and add these lines to the policy.'],
      };
    }
  return null;
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
