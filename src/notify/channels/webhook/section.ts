import type * as z from 'zod';
import { authorityFile } from '../../../config/schema/files.ts';
import { type Fields, hasSecret, type Report, textAt, unique } from '../../../config/schema/rules.ts';
import { optionalSecret } from '../../../config/schema/secret.ts';
import { list, section } from '../../../config/schema/section.ts';
import { isReadableOnTheWay, secretUrl } from '../../../config/schema/urls.ts';

const webhook = section(
  {
    url: secretUrl('https://hooks.example.org/ftm-watch').describe(
      'Where to post to. "config print" and "report" show its scheme and host only; still, a secret belongs into ' +
        'the token.',
    ),
    token: optionalSecret('token', 'File with a token, sent as "Authorization: Bearer". Needs https.'),
    caFile: authorityFile,
  },
  tokenNeedsHttps,
);

export type WebhookConfig = z.output<typeof webhook>;

export const webhooksSection = unique(list(webhook), textAt('url')).describe(
  'Web hooks: the incident is sent to each as JSON.',
);

function tokenNeedsHttps(fields: Fields, report: Report): void {
  const { url } = fields;
  if (hasSecret('token', fields) && typeof url === 'string' && isReadableOnTheWay(url))
    report('url', 'expected a URL that begins with "https://": the token would travel in clear');
}
