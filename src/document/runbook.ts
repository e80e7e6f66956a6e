import { type Step, impactOf } from '../engine/model.ts';
import { remedyOf, fill, type WordingFacts } from '../engine/remedy-words.ts';
import { CHECKS, wordsOf, type CauseId } from '../checks/registry.ts';
import type { LinkedLine, Paragraph, Part, Section } from './document.ts';

/**
 * What to do about a cause, for whoever does not have the incident at hand. The docs and the daemon print it from here,
 * and its words are those of the incident: mail, page and runbook never disagree.
 */
export interface Runbook {
  readonly id: CauseId;
  /** Begins with a capital. */
  readonly title: string;
  /** What stands under no heading. */
  readonly intro: readonly Part[];
  readonly sections: readonly Section[];
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
    id,
    title: `${title.charAt(0).toUpperCase()}${title.slice(1)}`,
    intro: [text('Cause ', { code: id }, `, ${severity}. `, ...scopeOf(id)), text(fill(summary, placesOf(id)))],
    sections: [
      {
        title: 'Impact',
        parts: [text(impactOf(impact, { licenseActive: null, offlineActivation: null }))],
      },
      { title: 'What to do', parts: whatToDo(id) },
      ...variantsOf(id),
      {
        title: 'Is it fixed?',
        parts: [
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
        : [{ title: 'Known from', parts: [{ kind: 'list', lines: sources.map(sourceOf) } as const] }]),
    ],
  };
}

function whatToDo(id: CauseId): readonly Part[] {
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

function variantsOf(id: CauseId): readonly Section[] {
  const { kinds = {}, brokenPath, proxyRemedy } = wordsOf(id);
  const places = placesOf(id);
  const blocksOf = ({ summary, remedy }: { readonly summary: string; readonly remedy: readonly Step[] }) => [
    text(fill(summary, places)),
    stepsOf(remedy, places),
  ];
  return [
    ...Object.values(kinds).map((kind) => ({ title: `Where ${kind.title}`, parts: blocksOf(kind) })),
    ...(proxyRemedy === undefined
      ? []
      : [{ title: 'Where the connection leads through a proxy', parts: [stepsOf(proxyRemedy, places)] }]),
    ...(brokenPath === undefined ? [] : [{ title: 'While the path is broken: critical', parts: blocksOf(brokenPath) }]),
  ];
}

function placesOf(id: CauseId): WordingFacts {
  return checkOf(id)?.id === 'delivery' ? PLACES_OF_SERVICES : PLACES;
}

function scopeOf(id: CauseId): Exclude<Paragraph, string> {
  const check = checkOf(id);
  return check === undefined
    ? ['It may be about any precondition.']
    : [`It breaks the precondition "${check.title}" (`, { code: check.id }, ').'];
}

function checkOf(id: CauseId) {
  return CHECKS.find(({ causes }) => Object.hasOwn(causes, id));
}

function text(...words: Exclude<Paragraph, string>): Part {
  return { kind: 'text', lines: [words] };
}

function stepsOf(steps: readonly Step[], places: WordingFacts): Part {
  return { kind: 'steps', lines: remedyOf(steps, places).remedySteps };
}

/** As `CauseWords.sources` writes them: with an address, where they have one. */
function sourceOf(source: string): string | LinkedLine {
  const [, document] = /^docs:(.+)$/u.exec(source) ?? [];
  const [, tip] = /^ta-p\/(\d+)$/u.exec(source) ?? [];
  if (tip !== undefined) return `Fortinet community, ta-p/${tip}`;
  const url = document === undefined ? source : `https://docs.fortinet.com/document/${document}`;
  return URL.canParse(url) ? { text: '', links: [[url, url]] } : source;
}
