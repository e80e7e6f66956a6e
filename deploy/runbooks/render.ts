import { CAUSE_PRECONDITIONS, isFaultId } from '../../src/core/cause.ts';
import type { CauseId } from '../../src/core/cause.ts';
import { CATALOGUE } from '../../src/core/causes/catalogue.ts';
import { impactOf } from '../../src/core/causes/impact.ts';
import { fill } from '../../src/core/causes/wording.ts';
import type { WordingFacts } from '../../src/core/causes/wording.ts';
import { PRECONDITIONS } from '../../src/core/precondition.ts';
import type { PreconditionId } from '../../src/core/precondition.ts';

/** Every page by its file name: one for each cause, and the list of them. */
export function renderRunbooks(): ReadonlyMap<string, string> {
  const ids = Object.keys(CATALOGUE).filter(isCause);
  return new Map([
    ['README.md', renderList(ids)],
    ...ids.map((id): readonly [string, string] => [`${id}.md`, renderPage(id)]),
  ]);
}

const GENERATED = '<!-- Written by "npm run runbooks" from src/core/causes: change it there. -->';
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
  policy: '<policy>',
  profile: '<profile>',
  source: '<address of FortiAuthenticator>',
};

function isCause(name: string): name is CauseId {
  return Object.hasOwn(CATALOGUE, name);
}

function renderList(ids: readonly CauseId[]): string {
  const parts = [...PRECONDITIONS, { id: null, title: 'Any precondition' }].map(({ id: precondition, title }) => {
    const own = ids.filter((id) => preconditionOf(id) === precondition);
    return [
      `## ${title}`,
      own.map((id) => `- [${id}](${id}.md): ${CATALOGUE[id].title} (${CATALOGUE[id].severity})`).join('\n'),
    ];
  });
  const intro =
    'A page for each cause that ftm-watch can find, in the order of the path. Alerts about ftm-watch itself: ' +
    '[alerts.md](alerts.md).';
  return joined(['# Runbooks', GENERATED, intro, ...parts.flat()]);
}

function renderPage(id: CauseId): string {
  const {
    title,
    severity,
    summary,
    impact,
    remedy,
    throughProxy,
    anyProductRemedy,
    productRemedy = {},
    kinds = {},
  } = CATALOGUE[id];
  return joined([
    `# ${title.charAt(0).toUpperCase()}${title.slice(1)}`,
    GENERATED,
    `Cause \`${id}\`, ${severity}. ${scopeOf(id)}`,
    textOf(summary),
    '## What users feel',
    impactOf(impact, { licenseActive: null, offlineActivation: null }),
    '## What to do',
    'The incident, on the status page and in the mail, fills in what stands here in \\<brackets\\>.',
    ...Object.entries(productRemedy).flatMap(([product, steps]) => [
      `First, where the inspecting device is ${product}:`,
      stepsOf(steps),
    ]),
    ...(anyProductRemedy === undefined
      ? []
      : ['First, where another inspecting product is known:', stepsOf(anyProductRemedy)]),
    ...(Object.keys(productRemedy).length === 0 && anyProductRemedy === undefined ? [] : ['Always:']),
    stepsOf(remedy),
    ...Object.values(kinds).flatMap((kind) => [`## Where ${kind.title}`, textOf(kind.summary), stepsOf(kind.remedy)]),
    ...(throughProxy === undefined
      ? []
      : ['## Where the way leads through a proxy', textOf(throughProxy.summary), stepsOf(throughProxy.remedy)]),
    '## Is it fixed?',
    '`ftm-watch check` looks at everything once. The incident closes by itself after `notify.policy.recoveries` ' +
      'rounds without the cause.',
  ]);
}

function preconditionOf(id: CauseId): PreconditionId | null {
  return isFaultId(id) ? CAUSE_PRECONDITIONS[id] : null;
}

function scopeOf(id: CauseId): string {
  const precondition = PRECONDITIONS.find((candidate) => candidate.id === preconditionOf(id));
  return precondition === undefined
    ? 'It may be about any precondition.'
    : `It breaks the precondition "${precondition.title}" (\`${precondition.id}\`).`;
}

function stepsOf(steps: readonly string[]): string {
  return steps.map((step, index) => `${String(index + 1)}. ${textOf(step)}`).join('\n');
}

/** Placeholders of commands such as `<inside>` are no HTML. */
function textOf(text: string): string {
  return fill(text, PLACES).replaceAll(/[<>*_`]/gu, String.raw`\$&`);
}

function joined(blocks: readonly string[]): string {
  return `${blocks.join('\n\n')}\n`;
}
