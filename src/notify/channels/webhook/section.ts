import type * as z from 'zod';
import { authorityFile } from '../../../config/schema/files.ts';
import { type SectionFields, hasSecret, type Report, textAt, unique } from '../../../config/schema/rules.ts';
import { optionalSecret } from '../../../config/schema/secret.ts';
import { list, optional, section } from '../../../config/schema/section.ts';
import { secretUrlField, secretUrlKeys } from '../../../config/schema/secret-url.ts';
import { isReadableOnTheWay } from '../../../config/schema/urls.ts';
import { TOKEN_IN_CLEAR } from '../authorization.ts';
import { minSeverity, recipientName } from '../message-fields.ts';

const webhook = section(
  {
    name: optional(recipientName),
    minSeverity,
    url: secretUrlField('Where to post to.', 'https://hooks.example.org/ftm-watch'),
    token: optionalSecret('token', 'File with a token, sent as "Authorization: Bearer". Needs https.'),
    caFile: authorityFile,
  },
  tokenNeedsHttps,
);

export type WebhookConfig = z.output<typeof webhook>;

export const webhooksSection = unique(list(webhook), (item) =>
  ['name', ...secretUrlKeys('url')].flatMap((key) => textAt(key)(item)),
).describe('Web hooks: the incident is sent to each as JSON.');

function tokenNeedsHttps(fields: SectionFields, report: Report): void {
  const { url } = fields;
  if (hasSecret('token', fields) && typeof url === 'string' && isReadableOnTheWay(url)) report('url', TOKEN_IN_CLEAR);
}
