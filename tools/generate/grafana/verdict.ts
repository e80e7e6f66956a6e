import { MappingType, type ValueMapping } from '@grafana/grafana-foundation-sdk/dashboard';
import { CHECKS, isAgentCause } from '../../../src/checks/registry.ts';
import { shortImpact, verdictWords } from '../../../src/checks/verdict-words.ts';
import { counted } from '../../../src/core/visible-text.ts';
import { impactOf } from '../../../src/engine/model.ts';

const CAUSES = CHECKS.flatMap(({ countsForReady, causes }) =>
  Object.entries(causes).map(([id, { severity, impact }]) => ({
    id,
    breaks: countsForReady && severity === 'critical',
    impact: shortImpact({ impact: impactOf(impact, { licenseActive: null, offlineSupported: null }) }),
  })),
);

/** The causes that make a site not ready, by their short impact, in the order of the path. */
const IMPACTS = Map.groupBy(
  CAUSES.filter(({ breaks }) => breaks),
  ({ impact }) => impact,
);

const OF_AGENT = CAUSES.filter(({ id }) => isAgentCause(id)).map(({ id }) => id);

const MOST_WARNINGS = 9;
const WORKS = verdictWords({ ready: 'ready', causes: [] }).text;
/** No incident has been confirmed yet, so that the impact is unknown. */
export const NOT_READY_TEXT = 'Not ready';
const NOT_READY = MOST_WARNINGS + 1;

/** What a panel shows for a site, as on its page. The index is the number of warnings. */
const VERDICTS: readonly (readonly [text: string, color: string])[] = [
  [WORKS, 'green'],
  ...Array.from(
    { length: MOST_WARNINGS },
    (_, index) => [`${WORKS}, ${counted(index + 1, 'warning')}`, 'orange'] as const,
  ),
  [NOT_READY_TEXT, 'red'],
  ...[...IMPACTS.keys()].map((text) => [text, 'red'] as const),
];

export const VERDICT: ValueMapping = {
  type: MappingType.ValueToText,
  options: Object.fromEntries(VERDICTS.map(([text, color], index) => [index, { text, color, index }])),
};

/** Returns a query for the verdict on each site. @param selector PromQL selector of the sites, which can be empty */
export function verdictQuery(selector: string): string {
  const ready = `site:ftm_activation_ready:min{${selector}}`;
  const open = (more: string): string =>
    `site_incident:ftm_incident_open:max{${[selector, more].filter((part) => part !== '').join(', ')}} == 1`;
  const faults = `count by (site) (count by (site, cause) (${open(`severity!="info", cause!~"${OF_AGENT.join('|')}"`)}))`;
  const impacts = [...IMPACTS.values()].map(
    (causes, index) =>
      `0 * (${open(`severity="critical", cause=~"${causes.map(({ id }) => id).join('|')}"`)}) + ` +
      String(NOT_READY + 1 + index),
  );
  return [
    `clamp_max(${faults}, ${String(MOST_WARNINGS)}) and on (site) (${ready} == 1)`,
    `0 * (${ready} == 1)`,
    `min by (site) (${impacts.join(' or ')}) and on (site) (${ready} == 0)`,
    `0 * (${ready} == 0) + ${String(NOT_READY)}`,
  ]
    .map((query) => `max by (site) (${query})`)
    .join(' or ');
}
