import { renderStatusPage } from '../../src/web/page/status-page.ts';
import { diagnosisOf } from './diagnosis-of.ts';
import { MINUTE, START } from './incident-timeline.ts';
import { sourcesOf, webState, type WebState } from './web-sources.ts';

/** When the page is asked for. */
export const NOW: number = START + 10 * MINUTE;

/** The status page of a site where nothing is broken, except for what is named. */
export function render(more: Partial<WebState>): string {
  return renderStatusPage(sourcesOf(webState({ diagnosis: diagnosisOf(START, []), ...more })), NOW);
}

/** What a person reads of it: without tags, spaces made one. */
export function words(more: Partial<WebState>): string {
  return render(more)
    .replaceAll(/<wbr><span class="port">([^<]*)<\/span>/gu, '$1')
    .replaceAll(/<[^>]*>/gu, ' ')
    .replaceAll(/\s+/gu, ' ')
    .trim();
}
