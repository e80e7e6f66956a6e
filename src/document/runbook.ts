import { impactOf, type RemedyStep, sentenceStep, type Step } from '../engine/model.ts';
import { remedyOf, fill, type WordingFacts } from '../engine/remedy-words.ts';
import { CAUSE_IDS, CHECKS, wordsOf, type CauseId } from '../checks/registry.ts';
import type { LinkedLine, Paragraph, Part, Section } from './document.ts';

/**
 * General instructions for a cause, independent of an incident. The docs and the daemon both use these instructions,
 * with the same texts as incidents, so that mails, pages and runbooks never differ.
 */
export interface Runbook {
  /** The name of the runbook's page in the docs, which is the ID of its cause unless several causes share the page. */
  readonly name: string;
  readonly causes: readonly CauseId[];
  /** The title, which starts with a capital letter. */
  readonly title: string;
  /** The text before the first heading. */
  readonly intro: readonly Part[];
  readonly sections: readonly Section[];
}

/** Placeholders that are already marked as placeholders in the commands. */
type OnlyInCommands = 'incoming' | 'outgoing' | 'vdom' | 'nat' | 'schedule' | 'security';

/** Placeholders for values that only an incident can supply. */
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
  primary: '<serial number in charge>',
  holder: '<other unit>',
  license: '<licence>',
  issuer: '<issuer>',
  failing: '<what it fails at>',
  waited: '<time>',
  life: '<life of a code>',
  date: '<date>',
  firewall: '<firewall>',
  unclear: '<what is not clear>',
  judgement: '<what is wrong with it>',
  configured: '<as configured>',
  found: '<as found>',
  policy: '<policy>',
  profile: '<profile>',
  culprit: '<firewall policy>',
  source: '<address of FortiAuthenticator>',
  unit: '<address of FortiAuthenticator>',
  meaning: '<what the line means>',
  said: '<what it logs>',
};

/** Placeholders for hosts from the configuration, other than the licence server. */
const PLACES_OF_SERVICES: WordingFacts = { ...PLACES, host: '<host>', port: '<port>' };

export function runbookOf(id: CauseId): Runbook {
  const words = wordsOf(id);
  const { severity, impact, sources = [] } = words;
  const { name, title, summary } = words.runbook ?? { name: id, title: words.title, summary: words.summary };
  const causes =
    words.runbook === undefined ? [id] : CAUSE_IDS.filter((other) => wordsOf(other).runbook?.name === name);
  const [kinds, lists] = [kindsOf(id), listsOf(id)];
  return {
    name,
    causes,
    title: `${title.charAt(0).toUpperCase()}${title.slice(1)}`,
    intro: [
      text(
        ...causes.flatMap((cause, index) => [index === 0 ? '' : ', ', { code: cause }]),
        `, ${severity}, ${scopeOf(id)} Values in <brackets> are listed in the incident.`,
      ),
    ],
    sections: [
      { title: 'Meaning', parts: [text(fill(summary, placesOf(id)))] },
      { title: 'Impact', parts: [text(impactOf(impact, { licenseActive: null, offlineActivation: null }))] },
      ...(kinds.length === 0 ? [] : [{ title: 'Diagnosis', parts: [{ kind: 'list', lines: kinds } as const] }]),
      ...eachBlockOnce(lists).map(({ heading, steps }) => ({
        title: heading,
        parts: [{ kind: 'steps', lines: steps } as const],
      })),
      ...(sources.length === 0
        ? []
        : [{ title: 'Sources', parts: [{ kind: 'list', lines: sources.map(sourceOf) } as const] }]),
    ],
  };
}

interface StepList {
  readonly heading: string;
  readonly steps: readonly RemedyStep[];
}

/** Returns the general steps, and the steps that are added or used instead if more is known about the fault. */
function listsOf(id: CauseId): readonly StepList[] {
  const { remedy, anyProductRemedy, productRemedy = {}, kinds = {}, proxyRemedy, brokenPath } = wordsOf(id);
  const places = placesOf(id);
  const list = (heading: string, steps: readonly Step[] | undefined): readonly StepList[] =>
    steps === undefined ? [] : [{ heading, steps: remedyOf(steps, places).remedySteps }];
  return [
    ...list('Mitigation', remedy),
    ...Object.entries(productRemedy).flatMap(([product, steps]) =>
      list(`First, if the inspecting device is ${product}`, steps),
    ),
    ...list('First, if the inspecting device is a different known product', anyProductRemedy),
    ...Object.values(kinds).flatMap((kind) => list(headingOf(kind.title), kind.remedy)),
    ...list('If the connection goes through a proxy', proxyRemedy),
    ...list('While the path is broken', brokenPath?.remedy),
  ];
}

/** Returns an explanation of each variant of the fault, labelled with the heading of its steps. */
function kindsOf(id: CauseId): readonly string[] {
  const { kinds = {}, brokenPath } = wordsOf(id);
  const places = placesOf(id);
  return [
    ...Object.values(kinds).map(({ title, summary }) => `${headingOf(title)}: ${fill(summary, places)}`),
    ...(brokenPath === undefined
      ? []
      : [`While the path is broken, the fault is critical: ${fill(brokenPath.summary, places)}`]),
  ];
}

function headingOf(kind: string): string {
  return `If ${kind}`;
}

/** The position of a step or its commands on the page. */
interface Place {
  readonly heading: string;
  readonly number: number;
}

/** Replaces repeated steps and command blocks with references, so that the page shows each of them once. */
function eachBlockOnce(lists: readonly StepList[]): readonly StepList[] {
  const steps = new Map<string, Place>();
  const blocks = new Map<string, Place>();
  const blanks = new Set<string>();
  return lists.map(({ heading, steps: own }) => {
    const lines: RemedyStep[] = [];
    let run: readonly Place[] = [];
    const endRun = (): void => {
      if (run.length > 0) lines.push(referenceTo(run));
      run = [];
    };
    for (const step of own) {
      const known = steps.get(JSON.stringify(step));
      const last = run.at(-1);
      if (known === undefined || (last !== undefined && !follows(known, last))) endRun();
      if (known !== undefined) {
        run = [...run, known];
        continue;
      }
      const block = JSON.stringify([step.commands, step.undo]);
      const place = { heading, number: lines.length + 1 };
      lines.push(withoutKnownBlock(step, blocks.get(block), blanks));
      steps.set(JSON.stringify(step), place);
      if (step.commands !== null && !blocks.has(block)) blocks.set(block, place);
    }
    endRun();
    return { heading, steps: lines };
  });
}

function follows(place: Place, before: Place): boolean {
  return place.heading === before.heading && place.number === before.number + 1;
}

function referenceTo(run: readonly Place[]): RemedyStep {
  const [first, last] = [run[0], run.at(-1)];
  const numbers =
    first === last ? `step ${String(first?.number)}` : `steps ${String(first?.number)} to ${String(last?.number)}`;
  return sentenceStep(`Follow ${numbers} under "${first?.heading ?? ''}".`);
}

function withoutKnownBlock(step: RemedyStep, known: Place | undefined, blanks: Set<string>): RemedyStep {
  if (step.commands === null) return step;
  if (known !== undefined)
    return sentenceStep(`${step.text} Use the commands from step ${String(known.number)} under "${known.heading}".`);
  const own = step.blanks.map((blank) => (blanks.has(blank.name) ? { ...blank, meaning: 'as above' } : blank));
  for (const { name } of own) blanks.add(name);
  return { ...step, blanks: own };
}

function placesOf(id: CauseId): WordingFacts {
  return checkOf(id)?.id === 'delivery' ? PLACES_OF_SERVICES : PLACES;
}

function scopeOf(id: CauseId): string {
  const check = checkOf(id);
  return check === undefined ? 'any precondition.' : `precondition "${check.title}".`;
}

function checkOf(id: CauseId) {
  return CHECKS.find(({ causes }) => Object.hasOwn(causes, id));
}

function text(...words: Exclude<Paragraph, string>): Part {
  return { kind: 'text', lines: [words] };
}

/** Returns a source from `CauseWords.sources`, with its URL if there is one. */
function sourceOf(source: string): string | LinkedLine {
  const [, document] = /^docs:(.+)$/u.exec(source) ?? [];
  const [, tip] = /^ta-p\/(\d+)$/u.exec(source) ?? [];
  if (tip !== undefined) return `Fortinet community, ta-p/${tip}`;
  const url = document === undefined ? source : `https://docs.fortinet.com/document/${document}`;
  return URL.canParse(url) ? { text: '', links: [[url, url]] } : source;
}
