import { renderStatusPage } from '../../../src/web/page/status-page.ts';
import { diagnosisOf } from '../checks/diagnosis-of.ts';
import { MINUTE, START } from '../store/incident-timeline.ts';
import { sourcesOf, webState, type WebState } from './web-sources.ts';

/** Time at which the page is requested. */
export const NOW: number = START + 10 * MINUTE;

/** Renders the status page of a site without faults, except for the given state. */
export function render(more: Partial<WebState>): string {
  return renderStatusPage(sourcesOf(webState({ diagnosis: diagnosisOf(START, []), ...more })), NOW).body;
}
