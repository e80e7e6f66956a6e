import type * as z from 'zod';
import { authorityFile } from '../../../config/schema/files.ts';
import { type Report, type SectionFields, textAt, unique } from '../../../config/schema/rules.ts';
import { secret } from '../../../config/schema/secret.ts';
import { list, section } from '../../../config/schema/section.ts';
import { isReadableOnTheWay, webUrl } from '../../../config/schema/urls.ts';
import { minSeverity, recipientName } from '../../../config/schema/message-recipient.ts';

const DEFAULT_URL = 'https://events.pagerduty.com/v2/enqueue';

const pagerduty = section(
  {
    name: recipientName,
    minSeverity,
    routingKey: secret('integration key', 'File with the integration key of a service (Events API v2).'),
    url: webUrl(DEFAULT_URL)
      .prefault(DEFAULT_URL)
      .describe('Where events go; https://events.eu.pagerduty.com/v2/enqueue for accounts in the EU.'),
    caFile: authorityFile,
  },
  keyNeedsHttps,
);

export type PagerdutyConfig = z.output<typeof pagerduty>;

export const pagerdutySection = unique(list(pagerduty), textAt('name')).describe(
  'PagerDuty services, by Events API v2: one alert for site, cause and subject.',
);

function keyNeedsHttps({ url }: SectionFields, report: Report): void {
  if (typeof url === 'string' && isReadableOnTheWay(url))
    report('url', 'expected a URL that begins with "https://": the integration key would travel in clear');
}
