import { generalName } from '../../../src/checks/headline.ts';
import { CAUSE_IDS, type CauseId, CHECKS, isFaultId, wordsOf } from '../../../src/checks/registry.ts';
import { anchorOf, list, type Part, type Section, section, text, type Word } from '../../../src/document/document.ts';
import { impactOf, type RemedyStep, type Variant } from '../../../src/engine/model.ts';
import { fill, remedyOf, type WordingFacts } from '../../../src/engine/remedy-words.ts';
import { ANY_PRODUCT } from '../../../src/engine/words.ts';

export interface Page {
  readonly title: string;
  readonly intro: readonly Part[];
  readonly sections: readonly Section[];
}

/**
 * Instructions that do not depend on a specific incident. The text is the same as in incidents, so that mails, web
 * pages and runbooks always agree. A page is complete: it repeats steps instead of referring to them.
 */
export interface Runbook extends Page {
  /** The file name in the documentation: the cause's ID, unless several causes share the runbook. */
  readonly name: string;
  readonly causes: readonly CauseId[];
}

/** Placeholders that the commands already contain, and words that a runbook replaces with others. */
type WithoutPlace = 'incoming' | 'outgoing' | 'vdom' | 'nat' | 'schedule' | 'security' | 'rootpem' | 'config' | 'quote';

const PLACES: Omit<Required<WordingFacts>, WithoutPlace> = {
  runbook: true,
  subject: '<target>',
  host: 'fortitokenmobile.fortinet.com',
  port: '443',
  operator: 'Fortinet TAC',
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
const PLACES_OF_SERVICES: WordingFacts = {
  ...PLACES,
  host: '<host>',
  port: '<port>',
  operator: 'the operator of the server',
};

const HELP = 'Help';

const COMMON_SECTIONS: readonly Section[] = [
  section(
    HELP,
    list(
      ['The status page and messages show the same steps with your own values instead of <brackets>.'],
      ['If a section describes your case, follow it instead of "Mitigation".'],
      ['Confirmed: the observations have no other explanation. Suspected: other explanations remain.'],
      ['In commands, replace each word that begins with `FILL-IN`. The line above the commands explains it.'],
      [
        'With FortiAuthenticator 6.6.1 and later, users can activate offline if offline provisioning is enabled ' +
          '(Authentication > User Account Policies > Tokens > Provision mode: Offline), even if "Impact" says that ' +
          'tokens cannot be activated.',
      ],
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
    "Capture FortiAuthenticator's connection",
    text(
      '`ftm-watch capture --print-command fortigate` prints the commands for a capture with the configured addresses. ',
      'To read the result, see ',
      { document: 'capture.md' },
      '.',
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
    intro: [text(...introOf(causes), ' ', { page: `procedures#${anchorOf(HELP)}`, title: HELP }, '.')],
    sections: [
      { title: 'Meaning', parts: [textsOf(causes, meaningOf)] },
      { title: 'Impact', parts: [textsOf(causes, effectOf)] },
      ...listsOfPage(causes).map(sectionOfList),
      ...(sources.length === 0 ? [] : [{ title: 'Sources', parts: [text(...sourceWords(sources))] }]),
    ],
  };
}

/** What applies to every runbook. */
export const PROCEDURES: Page = { title: 'Procedures', intro: [], sections: COMMON_SECTIONS };

export function listPage(): Page {
  const others = { title: 'Any precondition', causes: CAUSE_IDS.filter((id) => !isFaultId(id)) };
  const checks = CHECKS.map(({ id, title }) => ({ title, causes: CAUSE_IDS.filter((cause) => checkOf(cause) === id) }));
  return {
    title: 'Runbooks',
    intro: [
      text(
        'Each cause that ftm-watch can find has a runbook. ',
        { page: 'procedures', title: 'Procedures' },
        ' explains how to silence an incident, check the repair and get help. For alerts without a cause, see ',
        { page: 'alerts', title: 'Prometheus alerts' },
        '.',
      ),
    ],
    sections: [...checks, others].map(({ title, causes }) =>
      section(title, list(...causes.map((cause) => [{ cause }, `: ${generalName(wordsOf(cause).name)}`]))),
    ),
  };
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
  readonly steps: readonly RemedyStep[];
}

const MITIGATION = 'Mitigation';

/**
 * Includes all lists of the first cause. Each further cause adds its mitigation steps if they differ, and the variants
 * that the page does not have.
 */
function listsOfPage(causes: readonly CauseId[]): readonly StepList[] {
  const [own = [], ...others] = causes.map(listsOf);
  const further = others.flatMap((lists, index) => {
    const heading = headingOf(generalName(wordsOf(causes[index + 1] ?? '').name));
    return lists
      .filter((one) => !own.some((known) => isKnown(one, known)))
      .map((one) => (one.heading === MITIGATION ? { ...one, heading } : one));
  });
  return [...own.slice(0, 1), ...further, ...own.slice(1)];
}

/** A variant is also known if it only adds steps, such as those that prove the cause. */
function isKnown(one: StepList, known: StepList): boolean {
  if (one.heading !== known.heading) return false;
  if (one.heading === MITIGATION) return isSame(one.steps, known.steps);
  return known.steps.every((step) => one.steps.some((other) => isSame([other], [step])));
}

function listsOf(id: CauseId): readonly StepList[] {
  const { remedy, variants = [], summary } = wordsOf(id);
  const places = placesOf(id);
  const general = remedyOf(remedy, places).remedySteps;
  // A summary that several variants share does not distinguish them.
  const isShared = (meaning: string): boolean =>
    [{ summary }, ...variants].filter((variant) => variant.summary === meaning).length > 1;
  const variantLists = variants.flatMap((variant): readonly StepList[] => {
    const heading = situationText(variant);
    if (heading === null) return [];
    const steps = remedyOf(variant.remedy ?? remedy, places).remedySteps;
    const meaning = variant.summary === undefined || isShared(variant.summary) ? null : fill(variant.summary, places);
    return meaning === null && isSame(steps, general) ? [] : [{ heading, meaning, steps }];
  });
  return [{ heading: MITIGATION, meaning: null, steps: general }, ...variantLists];
}

function isSame(one: readonly RemedyStep[], other: readonly RemedyStep[]): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
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

function sectionOfList({ heading, meaning, steps }: StepList): Section {
  return section(heading, ...(meaning === null ? [] : [text(meaning)]), { kind: 'steps', lines: steps });
}

function placesOf(id: CauseId): WordingFacts {
  return checkOf(id) === 'delivery' ? PLACES_OF_SERVICES : PLACES;
}

function checkOf(id: CauseId): string | undefined {
  return CHECKS.find(({ causes }) => Object.hasOwn(causes, id))?.id;
}

function sourceWords(sources: readonly string[]): readonly Word[] {
  return sources.flatMap((source, index) => [...(index === 0 ? [] : [', ']), sourceWord(source)]);
}

/** A source without an address, such as a MIB, is named. */
function sourceWord(source: string): Word {
  const [, document] = /^docs:(.+)$/u.exec(source) ?? [];
  if (document !== undefined) return { url: `https://docs.fortinet.com/document/${document}` };
  // A technical tip. Its address works without the names of the board and of the tip.
  if (/^ta-p\/\d+$/u.test(source)) return { url: `https://community.fortinet.com/t5/-/-/${source}` };
  return URL.canParse(source) ? { url: source } : source;
}

function capitalised(title: string): string {
  return title.startsWith('ftm-watch') ? title : `${title.charAt(0).toUpperCase()}${title.slice(1)}`;
}
