import { CAUSE_IDS, CHECKS, isFaultId, wordsOf, type CauseId } from '../../src/checks/registry.ts';
import { impactOf } from '../../src/engine/words/impact.ts';
import { type Block, blocksOf, type RemedyStep } from '../../src/engine/remedy.ts';
import { remedyOf } from '../../src/engine/words/told-remedy.ts';
import type { Step } from '../../src/engine/words/step.ts';
import { fill } from '../../src/engine/words/wording.ts';
import type { WordingFacts } from '../../src/engine/words/wording.ts';

/** Every page by its file name: one for each cause, and the list of them. */
export function renderRunbooks(): ReadonlyMap<string, string> {
  return new Map([
    ['README.md', renderList()],
    ...CAUSE_IDS.map((id): readonly [string, string] => [`${id}.md`, renderPage(id)]),
  ]);
}

const GENERATED = '<!-- Written by "npm run generate" from src/checks: change it there. -->';
/** What an incident fills in; a page can only name it. */
const PLACES: WordingFacts = {
  subject: '<target>',
  host: 'fortitokenmobile.fortinet.com',
  port: '443',
  address: '<address>',
  proxy: '<proxy>',
  resolver: '<resolver>',
  product: '<product>',
  appliance: '<appliance>',
  serial: '<serial number>',
  primary: '<serial number in charge>',
  holder: '<other unit>',
  license: '<licence>',
  configured: '<as configured>',
  found: '<as found>',
  policy: '<policy>',
  profile: '<profile>',
  source: '<address of FortiAuthenticator>',
};

/** Whatever hosts the configuration names, not the licence server. */
const PLACES_OF_SERVICES: WordingFacts = { ...PLACES, host: '<host>', port: '<port>' };

function placesOf(id: CauseId): WordingFacts {
  return checkOf(id)?.id === 'delivery' ? PLACES_OF_SERVICES : PLACES;
}

function renderList(): string {
  const others = { title: 'Any precondition', causes: CAUSE_IDS.filter((id) => !isFaultId(id)) };
  const parts = [...CHECKS.map(({ title, causes }) => ({ title, causes: Object.keys(causes) })), others];
  const intro =
    'A page for each cause that ftm-watch can find, in the order of the path. Alerts about ftm-watch itself: ' +
    '[alerts.md](alerts.md).';
  return joined([
    '# Runbooks',
    GENERATED,
    intro,
    ...parts.flatMap(({ title, causes }) => [
      `## ${title}`,
      causes.map((id) => `- [${id}](${id}.md): ${wordsOf(id).title} (${wordsOf(id).severity})`).join('\n'),
    ]),
  ]);
}

function renderPage(id: CauseId): string {
  const words = wordsOf(id);
  const places = placesOf(id);
  const { title, severity, summary, impact, remedy, anyProductRemedy, productRemedy = {}, kinds = {} } = words;
  const { brokenPath, sources = [] } = words;
  return joined([
    `# ${title.charAt(0).toUpperCase()}${title.slice(1)}`,
    GENERATED,
    `Cause \`${id}\`, ${severity}. ${scopeOf(id)}`,
    textOf(summary, places),
    '## What users feel',
    impactOf(impact, { licenseActive: null, offlineActivation: null }),
    '## What to do',
    'The incident, on the status page and in the mail, fills in what stands here in \\<brackets\\>.',
    ...Object.entries(productRemedy).flatMap(([product, steps]) => [
      `First, where the inspecting device is ${product}:`,
      stepsOf(steps, places),
    ]),
    ...(anyProductRemedy === undefined
      ? []
      : ['First, where another inspecting product is known:', stepsOf(anyProductRemedy, places)]),
    ...(Object.keys(productRemedy).length === 0 && anyProductRemedy === undefined ? [] : ['Always:']),
    stepsOf(remedy, places),
    ...Object.values(kinds).flatMap((kind) => [
      `## Where ${kind.title}`,
      textOf(kind.summary, places),
      stepsOf(kind.remedy, places),
    ]),
    ...(brokenPath === undefined
      ? []
      : [
          '## While the path is broken: critical',
          textOf(brokenPath.summary, places),
          stepsOf(brokenPath.remedy, places),
        ]),
    '## Is it fixed?',
    '`ftm-watch check` looks at everything once. The incident closes by itself after `notify.policy.recoveries` ' +
      'rounds without the cause.',
    ...(sources.length === 0 ? [] : ['## Known from', sources.map(sourceOf).join('\n')]),
  ]);
}

function sourceOf(source: string): string {
  const [, document] = /^docs:(.+)$/u.exec(source) ?? [];
  const [, tip] = /^ta-p\/(\d+)$/u.exec(source) ?? [];
  if (document !== undefined) return `- <https://docs.fortinet.com/document/${document}>`;
  if (tip !== undefined) return `- Fortinet community, ta-p/${tip}`;
  return URL.canParse(source) ? `- <${source}>` : `- ${source}`;
}

function checkOf(cause: CauseId) {
  return CHECKS.find(({ causes }) => Object.hasOwn(causes, cause));
}

function scopeOf(cause: CauseId): string {
  const check = checkOf(cause);
  return check === undefined
    ? 'It may be about any precondition.'
    : `It breaks the precondition "${check.title}" (\`${check.id}\`).`;
}

function stepsOf(steps: readonly Step[], places: WordingFacts): string {
  return remedyOf(steps, places).remedySteps.map(stepText).join('\n');
}

function stepText(step: RemedyStep, index: number): string {
  const blocks = blocksOf(step).map((block) => blockText(block, step.syntax === 'shell' ? 'sh' : 'text'));
  return [`${String(index + 1)}. ${escaped(step.text)}`, ...blocks].join('\n\n');
}

/** Within the item of the list. */
function blockText({ label, text }: Block, language: string): string {
  return [escaped(label), '', `\`\`\`${language}`, ...text.split('\n'), '```']
    .map((line) => (line === '' ? '' : `   ${line}`))
    .join('\n');
}

/** Placeholders of commands such as `<inside>` are no HTML. */
function textOf(text: string, places: WordingFacts): string {
  return escaped(fill(text, places));
}

function escaped(text: string): string {
  return text.replaceAll(/[<>*_`]/gu, String.raw`\$&`);
}

function joined(blocks: readonly string[]): string {
  return `${blocks.join('\n\n')}\n`;
}
