import { type RemedyStep, type Step, impactOf } from '../engine/model.ts';
import { remedyOf, fill, type WordingFacts } from '../engine/remedy-words.ts';
import { CHECKS, wordsOf, type CauseId } from './registry.ts';

/**
 * What to do about a cause, for whoever does not have the incident at hand. The docs and the daemon print it from here,
 * and its words are those of the incident: mail, page and runbook never disagree.
 */
export interface Runbook {
  /** Begins with a capital. */
  readonly title: string;
  /** The first blocks stand under no heading. */
  readonly intro: readonly RunbookBlock[];
  readonly sections: readonly RunbookSection[];
}

export interface RunbookSection {
  readonly title: string;
  readonly blocks: readonly RunbookBlock[];
}

export type RunbookBlock =
  | { readonly kind: 'text'; readonly words: RunbookWords }
  /** They are numbered. */
  | { readonly kind: 'steps'; readonly steps: readonly RemedyStep[] }
  /** Steps without commands, numbered too. */
  | { readonly kind: 'list'; readonly items: readonly RunbookWords[] }
  /** Where its facts are known from. */
  | { readonly kind: 'sources'; readonly sources: readonly RunbookSource[] };

/** Plain text, names that programs know, and links: to the runbook of a cause, and to a file below `docs`. */
export type RunbookWords = readonly RunbookWord[];

export type RunbookWord =
  | string
  | { readonly code: string }
  | { readonly cause: CauseId }
  | { readonly document: string };

/** As GitHub makes it of a heading, so that one link leads to the docs and to the page of the daemon. */
export function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
}

export interface RunbookSource {
  readonly text: string;
  /** null: it has a name and no address. */
  readonly url: string | null;
}

/** Blanks that commands mark by themselves. */
type OnlyInCommands = 'incoming' | 'outgoing' | 'vdom' | 'nat' | 'schedule' | 'security';

/** What an incident fills in; a runbook can only name it. */
const PLACES: Omit<Required<WordingFacts>, OnlyInCommands | 'config'> = {
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

/** Whatever hosts the configuration names, not the licence server. */
const PLACES_OF_SERVICES: WordingFacts = { ...PLACES, host: '<host>', port: '<port>' };

export function runbookOf(id: CauseId): Runbook {
  const { title, severity, summary, impact, sources = [] } = wordsOf(id);
  return {
    title: `${title.charAt(0).toUpperCase()}${title.slice(1)}`,
    intro: [text('Cause ', { code: id }, `, ${severity}. `, ...scopeOf(id)), text(fill(summary, placesOf(id)))],
    sections: [
      {
        title: 'Impact',
        blocks: [text(impactOf(impact, { licenseActive: null, offlineActivation: null }))],
      },
      { title: 'What to do', blocks: whatToDo(id) },
      ...variantsOf(id),
      {
        title: 'Is it fixed?',
        blocks: [
          text(
            { code: 'ftm-watch check' },
            ' looks at everything once. The incident closes by itself after ',
            { code: 'notify.policy.recoveries' },
            ' rounds without the cause.',
          ),
        ],
      },
      ...(sources.length === 0
        ? []
        : [{ title: 'Known from', blocks: [{ kind: 'sources', sources: sources.map(sourceOf) } as const] }]),
    ],
  };
}

function whatToDo(id: CauseId): readonly RunbookBlock[] {
  const { remedy, anyProductRemedy, productRemedy = {} } = wordsOf(id);
  const places = placesOf(id);
  const products = Object.entries(productRemedy);
  return [
    text('The incident, on the status page and in the mail, fills in what stands here in <brackets>.'),
    ...products.flatMap(([product, steps]) => [
      text(`First, where the inspecting device is ${product}:`),
      stepsOf(steps, places),
    ]),
    ...(anyProductRemedy === undefined
      ? []
      : [text('First, where another inspecting product is known:'), stepsOf(anyProductRemedy, places)]),
    ...(products.length === 0 && anyProductRemedy === undefined ? [] : [text('Always:')]),
    stepsOf(remedy, places),
  ];
}

function variantsOf(id: CauseId): readonly RunbookSection[] {
  const { kinds = {}, brokenPath, proxyRemedy } = wordsOf(id);
  const places = placesOf(id);
  const blocksOf = ({ summary, remedy }: { readonly summary: string; readonly remedy: readonly Step[] }) => [
    text(fill(summary, places)),
    stepsOf(remedy, places),
  ];
  return [
    ...Object.values(kinds).map((kind) => ({ title: `Where ${kind.title}`, blocks: blocksOf(kind) })),
    ...(proxyRemedy === undefined
      ? []
      : [{ title: 'Where the connection leads through a proxy', blocks: [stepsOf(proxyRemedy, places)] }]),
    ...(brokenPath === undefined
      ? []
      : [{ title: 'While the path is broken: critical', blocks: blocksOf(brokenPath) }]),
  ];
}

function placesOf(id: CauseId): WordingFacts {
  return checkOf(id)?.id === 'delivery' ? PLACES_OF_SERVICES : PLACES;
}

function scopeOf(id: CauseId): RunbookWords {
  const check = checkOf(id);
  return check === undefined
    ? ['It may be about any precondition.']
    : [`It breaks the precondition "${check.title}" (`, { code: check.id }, ').'];
}

function checkOf(id: CauseId) {
  return CHECKS.find(({ causes }) => Object.hasOwn(causes, id));
}

function text(...words: RunbookWords): RunbookBlock {
  return { kind: 'text', words };
}

function stepsOf(steps: readonly Step[], places: WordingFacts): RunbookBlock {
  return { kind: 'steps', steps: remedyOf(steps, places).remedySteps };
}

/** As `CauseWords.sources` writes them. */
function sourceOf(source: string): RunbookSource {
  const [, document] = /^docs:(.+)$/u.exec(source) ?? [];
  const [, tip] = /^ta-p\/(\d+)$/u.exec(source) ?? [];
  if (document !== undefined) return addressOf(`https://docs.fortinet.com/document/${document}`);
  if (tip !== undefined) return { text: `Fortinet community, ta-p/${tip}`, url: null };
  return URL.canParse(source) ? addressOf(source) : { text: source, url: null };
}

function addressOf(url: string): RunbookSource {
  return { text: url, url };
}
