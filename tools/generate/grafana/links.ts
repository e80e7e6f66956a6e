import type { PanelLink } from './panels.ts';

/** The dashboards that link to each other: all sites, one site, one cause, and ftm-watch itself. */
export const UIDS = {
  fleet: 'ftm-watch-fleet',
  site: 'ftm-watch-site',
  cause: 'ftm-watch-cause',
  daemon: 'ftm-watch-daemon',
} as const;

const SITE = '${__field.labels.site}';

export const TO_SITE: PanelLink = {
  title: 'This site',
  url: `/d/${UIDS.site}?var-datasource=$datasource&var-site=${SITE}&\${__url_time_range}`,
};

/** @param site a label, or the variable of a dashboard about one site */
export function toCause(site: string = SITE): PanelLink {
  return {
    title: 'This cause',
    url:
      `/d/${UIDS.cause}?var-datasource=$datasource&var-site=${site}&var-cause=\${__field.labels.cause}` +
      '&${__url_time_range}',
  };
}

/** The agent's own pages, at the address that Prometheus scrapes. */
export const TO_PAGE: PanelLink = { title: 'Status page of this agent', url: '$scheme://${__field.labels.instance}/' };

export const TO_RUNBOOK: PanelLink = {
  title: 'Runbook for this cause',
  url: '$scheme://${__field.labels.instance}/runbooks/$cause',
};
