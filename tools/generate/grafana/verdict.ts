import { MappingType, type ValueMapping } from '@grafana/grafana-foundation-sdk/dashboard';
import { CHECKS } from '../../../src/checks/registry.ts';
import { impactOf } from '../../../src/engine/model.ts';

/** The short impacts of the causes that make a site not ready, in the order of the path, with these causes. */
const IMPACTS = Map.groupBy(
  CHECKS.filter(({ countsForReady }) => countsForReady).flatMap(({ causes }) =>
    Object.entries(causes).filter(([, { severity }]) => severity === 'critical'),
  ),
  ([, { impact }]) => shortImpact(impactOf(impact, { licenseActive: null, offlineSupported: null })),
);

function shortImpact(impact: string): string {
  return impact.slice(0, impact.indexOf('.'));
}

/** What the panels show for a site, as on its page. A site without a value is unknown. */
const VERDICTS: readonly (readonly [text: string, color: string])[] = [
  ['Activation works', 'green'],
  ['Activation works, with warnings', 'orange'],
  // No incident has been confirmed yet.
  ['Not ready', 'red'],
  ...[...IMPACTS.keys()].map((text) => [text, 'red'] as const),
];

const [WORKS, WARNS, NOT_READY, FIRST_IMPACT] = [0, 1, 2, 3] as const;

export const VERDICT: ValueMapping = {
  type: MappingType.ValueToText,
  options: Object.fromEntries(VERDICTS.map(([text, color], index) => [index, { text, color, index }])),
};

/** Returns a query for the verdict on each site. @param selector PromQL selector of the sites, which can be empty */
export function verdictQuery(selector: string): string {
  const ready = `site:ftm_activation_ready:min{${selector}}`;
  const open = (more: string): string =>
    `site_incident:ftm_incident_open:max{${[selector, more].filter((part) => part !== '').join(', ')}} == 1`;
  const impacts = [...IMPACTS.values()].map((causes, index) => {
    const ids = causes.map(([id]) => id).join('|');
    return `0 * (${open(`severity="critical", cause=~"${ids}"`)}) + ${String(FIRST_IMPACT + index)}`;
  });
  return [
    `0 * (${ready} == 1 and on (site) (${open('severity="warning"')})) + ${String(WARNS)}`,
    `0 * (${ready} == 1) + ${String(WORKS)}`,
    `min by (site) (${impacts.join(' or ')}) and on (site) (${ready} == 0)`,
    `0 * (${ready} == 0) + ${String(NOT_READY)}`,
  ]
    .map((query) => `max by (site) (${query})`)
    .join(' or ');
}
