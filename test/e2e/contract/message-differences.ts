import type { Difference } from '../../support/contract/contract-differences.ts';

export const MESSAGE_DIFFERENCES: readonly Difference[] = [
  {
    reason: 'Messages link to where people can open incidents and runbooks, and tell times in the zone of the site',
    lines: [
      '+ schema: properties.notify.properties.runbookUrl.type: "string"',
      '+ schema: properties.notify.properties.summary: <text>',
      '+ schema: properties.timezone.default: "UTC"',
      '+ schema: properties.timezone.type: "string"',
      '+ schema: properties.web.properties.publicUrl.type: "string"',
    ],
  },
];
