import type * as z from 'zod';
import type { SchemaContext } from '../../../config/schema/context.ts';
import { readableFile, secretFile, secretFrom, secretVariable } from '../../../config/schema/files.ts';
import {
  allowSecret,
  type Fields,
  given,
  list,
  type Report,
  ruled,
  section,
  textAt,
  unique,
} from '../../../config/schema/rules.ts';
import { isReadableOnTheWay, webUrl } from '../../../config/schema/urls.ts';
import type { SecretSource } from '../../../system/secret.ts';

export interface WebhookConfig {
  readonly url: string;
  readonly token: SecretSource | null;
  readonly caFile: string | null;
}

export function webhooksSection(context: SchemaContext): z.ZodType<readonly WebhookConfig[]> {
  return unique(list(webhook(context)), 'url', textAt('url'))
    .prefault([])
    .describe('Web hooks: the incident is sent to each as JSON.');
}

function webhook(context: SchemaContext): z.ZodType<WebhookConfig> {
  return ruled(
    section({
      url: webUrl('https://hooks.example.org/ftm-watch').describe(
        'Where to post to. "config print" and "report" show its scheme and host only; still, a secret belongs into ' +
          'the token.',
      ),
      tokenFile: secretFile(context)
        .optional()
        .describe('File with a token, sent as "Authorization: Bearer". Needs https.'),
      tokenEnv: secretVariable(context)
        .optional()
        .describe('Environment variable with the token, instead of the file.'),
      caFile: readableFile(context)
        .optional()
        .describe(
          'PEM file of the authority that signed its certificate; without it the public authorities are trusted.',
        ),
    }),
    tokenNeedsHttps,
  ).transform(({ url, tokenFile, tokenEnv, caFile }) => ({
    url,
    token: secretFrom(tokenFile, tokenEnv),
    caFile: caFile ?? null,
  }));
}

function tokenNeedsHttps(fields: Fields, report: Report): void {
  allowSecret('token', fields, report);
  const { url } = fields;
  const hasToken = given(fields, 'tokenFile') || given(fields, 'tokenEnv');
  if (hasToken && typeof url === 'string' && isReadableOnTheWay(url))
    report('url', 'expected a URL that begins with "https://": the token would travel in clear');
}
