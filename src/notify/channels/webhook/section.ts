import * as z from 'zod';
import { authorityFile } from '../../../config/schema/files.ts';
import { type SectionFields, hasSecret, type Report, textAt, unique } from '../../../config/schema/rules.ts';
import { optionalSecret } from '../../../config/schema/secret.ts';
import { list, optional, section } from '../../../config/schema/section.ts';
import { secretUrlField, secretUrlKeys } from '../../../config/schema/secret-url.ts';
import { isReadableOnTheWay } from '../../../config/schema/urls.ts';
import { codedText } from '../../../config/schema/values.ts';
import { TOKEN_IN_CLEAR } from '../authorization.ts';
import { minSeverity, recipientName } from '../../../config/schema/message-recipient.ts';
import { type JsonTemplate, placeholdersOf } from './json-template.ts';
import { TEMPLATE_NAMES } from './template-values.ts';

const MAX_TEMPLATE = 20_000;
const PLACES = TEMPLATE_NAMES.map((place) => `{{${place}}}`).join(', ');

const template: z.ZodType<JsonTemplate> = codedText({
  title: 'JSON template',
  expected: 'a text of JSON with places such as "{{title}}" in it',
  parse: (text) => {
    const value = text.length > MAX_TEMPLATE ? undefined : parsedJson(text);
    return value === undefined || unknownPlaces(value).length > 0 ? null : value;
  },
  format: (value) => JSON.stringify(value),
  problem: (text) => {
    const [unknown] = unknownPlaces(parsedJson(text) ?? null);
    return unknown === undefined ? null : `expected one of ${PLACES}, got "{{${unknown}}}"`;
  },
}).describe(`JSON that is sent instead, in whose texts these places are filled in: ${PLACES}.`);

function unknownPlaces(value: JsonTemplate): readonly string[] {
  const names: readonly string[] = TEMPLATE_NAMES;
  return placeholdersOf(value).filter((place) => !names.includes(place));
}

function parsedJson(text: string): JsonTemplate | undefined {
  try {
    return z.json().parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

const webhook = section(
  {
    name: optional(recipientName),
    minSeverity,
    url: secretUrlField('Where to post to.', 'https://hooks.example.org/ftm-watch'),
    template: optional(template),
    token: optionalSecret('token', 'File with a token, sent as "Authorization: Bearer". Needs https.'),
    signingSecret: optionalSecret(
      'signing secret',
      'File with a secret that bodies are signed with (HMAC-SHA256, as Standard Webhooks has it).',
    ),
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
