import type { Difference } from '../../support/contract-differences.ts';

export const MESSAGE_DIFFERENCES: readonly Difference[] = [
  {
    reason: 'Messages link to where people can open incidents and runbooks, and tell times in the zone of the site',
    lines: [
      '+ schema: properties.notify.properties.runbookUrl.type: "string"',
      '+ schema: properties.notify.properties.summary.additionalProperties: false',
      '+ schema: properties.notify.properties.summary.properties.cron.default: "0 7 * * 1"',
      '+ schema: properties.notify.properties.summary.properties.cron.type: "string"',
      '+ schema: properties.notify.properties.summary.type: "object"',
      '+ schema: properties.timezone.default: "UTC"',
      '+ schema: properties.timezone.type: "string"',
      '+ schema: properties.web.properties.publicUrl.type: "string"',
    ],
  },
];
