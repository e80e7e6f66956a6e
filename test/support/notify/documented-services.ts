import * as z from 'zod';
import { actsIn } from '../security/markup.ts';
import type { ReceivedPost } from './json-receiver.ts';

/** A service as its documentation describes it. */
export interface DocumentedService {
  /** Of the URL, if it is secret. */
  readonly path: string;
  /** True if each message is about at most one incident. */
  readonly hasIncidents?: boolean;
  /** Content of the file with headers or a token. */
  readonly secret?: string;
  /** Returns why the service would not accept the request, or what would act in it. */
  problemsIn(post: ReceivedPost): readonly string[];
  /** Body of its answer to a request that it accepts. */
  readonly accepted: { readonly status: number; readonly body: string };
  /** Bodies that it sends with status 200 for a request that it does not accept. */
  readonly refusals?: readonly string[];
}

/** Lengths are in UTF-16 code units, which is at least the number of characters. */
const upTo = (limit: number): z.ZodString => z.string().min(1).max(limit);

function broken(schema: z.ZodType, value: unknown): readonly string[] {
  const { error } = schema.safeParse(value);
  return error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];
}

function unless(isFine: boolean, problem: string): readonly string[] {
  return isFine ? [] : [problem];
}

/** Returns each text in a JSON value. */
function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

/** What a client without markup links or notifies people about. */
function linkedIn(text: string): readonly string[] {
  const found = text.match(/@\w|#\w|https?:\/\/\S+|\bwww\.\S/giu) ?? [];
  return found.filter((part) => !part.startsWith('https://monitor.example.org/'));
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', '#39': "'" };

/** Returns the displayed text of HTML in which only `<b>` is used, and what else it contains. */
function shownHtml(html: string): { readonly text: string; readonly problems: readonly string[] } {
  const bare = html.replaceAll(/<\/?b>/gu, '');
  const text = bare.replaceAll(/&(lt|gt|amp|quot|#39);/gu, (_, name: string) => ENTITIES[name] ?? '');
  const rest = bare.replaceAll(/&(?:lt|gt|amp|quot|#39);/gu, '').match(/[<>&]/gu) ?? [];
  return { text, problems: [...rest, ...linkedIn(text)] };
}

const hec = z.strictObject({
  time: z.union([z.number(), z.string().regex(/^\d{10}(?:\.\d{1,3})?$/u)]),
  host: z.string(),
  source: z.string(),
  sourcetype: z.string(),
  index: z.string().optional(),
  event: z.union([z.string().min(1), z.record(z.string(), z.unknown())]),
  fields: z.record(z.string(), z.string()).optional(),
});

const discordMessage = z.strictObject({
  content: upTo(2_000).optional(),
  embeds: z
    .array(
      z.strictObject({
        title: upTo(256).optional(),
        description: upTo(4_096).optional(),
        color: z.int().min(0).max(0xff_ff_ff).optional(),
        timestamp: z.iso.datetime().optional(),
      }),
    )
    .max(10),
  allowed_mentions: z.strictObject({ parse: z.tuple([]) }),
});

const textParagraph = z.strictObject({ textParagraph: z.strictObject({ text: z.string().min(1) }) });
const chatMessage = z.strictObject({
  text: upTo(4_096).optional(),
  fallbackText: z.string().optional(),
  cardsV2: z
    .array(
      z.strictObject({
        cardId: z.string(),
        card: z.strictObject({ sections: z.array(z.strictObject({ widgets: z.array(textParagraph).min(1) })).min(1) }),
      }),
    )
    .min(1),
});

const telegramMessage = z.strictObject({
  chat_id: z.union([z.int(), z.string().regex(/^(?:-?\d+|@\w+)$/u)]),
  parse_mode: z.literal('HTML'),
  link_preview_options: z.strictObject({ is_disabled: z.boolean() }),
  text: z.string(),
});

const mattermostMessage = z.strictObject({
  text: upTo(16_383).optional(),
  attachments: z.array(z.strictObject({ fallback: z.string(), color: z.string(), text: z.string() })),
});

const pushedValue = z.strictObject({
  host: z.string().min(1),
  key: z.literal('ftm.notification'),
  value: z.string().regex(/^[a-z]+\n[a-z]+\n(?:critical|warning|)\n[^\n]{1,60}\n.+$/su),
});
const historyPush = z.strictObject({
  jsonrpc: z.literal('2.0'),
  method: z.literal('history.push'),
  params: z.array(pushedValue).min(1),
  id: z.int(),
});

const emEvents = z.strictObject({
  records: z.array(
    z.strictObject({
      source: upTo(100),
      event_class: upTo(100),
      node: upTo(100),
      type: z.string().max(100),
      resource: z.string().max(100),
      message_key: z.string().max(1_024),
      severity: z.enum(['0', '1', '2', '3', '4', '5']),
      description: upTo(4_000),
    }),
  ),
});

/** By the name of the file in `deploy/webhooks`, which names the documentation. */
export const SERVICES: Readonly<Record<string, DocumentedService>> = {
  splunk: {
    path: '/services/collector/event',
    hasIncidents: true,
    secret: 'Authorization: Splunk 6f1b0a3e-0000-4000-8000-2f6c2d0d5a11',
    problemsIn: ({ path, headers, body }) => [
      ...unless(path === '/services/collector/event', 'path'),
      ...unless(/^Splunk [\da-f-]{36}$/u.test(headers.authorization ?? ''), 'authorization'),
      ...broken(hec, body),
    ],
    accepted: { status: 200, body: '{"text":"Success","code":0}' },
  },
  mattermost: {
    path: '/hooks/xyz',
    problemsIn: ({ body, text }) => [
      ...broken(mattermostMessage, body),
      ...unless(text.length <= 799_600, 'more than 799600 characters'),
    ],
    accepted: { status: 200, body: 'ok' },
  },
  discord: {
    path: '/api/webhooks/1/token',
    problemsIn: ({ body }) => [
      ...broken(discordMessage, body),
      ...unless(textsIn(body).join('').length <= 6_000, 'more than 6000 characters in embeds'),
      // The title is bold, and the last line is a link to the page.
      ...textsIn(body).flatMap((text) =>
        actsIn('discord', text.replace(/^\*\*(.*)\*\*$/u, '$1').replace(/\nhttps:\/\/monitor\.\S*$/u, '')),
      ),
    ],
    accepted: { status: 204, body: '' },
  },
  'google-chat': {
    path: '/v1/spaces/AAAA/messages?key=a&token=b',
    problemsIn: ({ path, body, text }) => [
      ...unless(/^\/v1\/spaces\/\w+\/messages\?key=\w+&token=\w+$/u.test(path), 'path'),
      ...broken(chatMessage, body),
      ...unless(Buffer.byteLength(text) <= 32_000, 'more than 32000 bytes'),
      ...textsIn(body).flatMap((one) => shownHtml(one).problems),
    ],
    accepted: { status: 200, body: '{"name":"spaces/AAAA/messages/BBBB"}' },
  },
  webex: {
    path: '/v1/webhooks/incoming/token',
    problemsIn: ({ body }) => [
      ...broken(z.strictObject({ text: z.string().min(1) }), body),
      ...textsIn(body).flatMap((text) => [
        ...unless(Buffer.byteLength(text) <= 7_439, 'more than 7439 bytes'),
        ...linkedIn(text),
      ]),
    ],
    accepted: { status: 204, body: '' },
  },
  telegram: {
    path: '/bot123:token/sendMessage',
    problemsIn: ({ body }) => {
      const { data } = telegramMessage.safeParse(body);
      const { text, problems } = shownHtml(data?.text ?? '');
      return [...broken(telegramMessage, body), ...unless(text.length <= 4_096, 'message is too long'), ...problems];
    },
    accepted: { status: 200, body: '{"ok":true,"result":{"message_id":1}}' },
    refusals: ['{"ok":false,"error_code":400,"description":"Bad Request: chat not found"}'],
  },
  n8n: {
    path: '/webhook/ftm-watch',
    secret: 'X-API-Key: s3cret',
    problemsIn: ({ headers, body }) => [
      ...unless(headers['x-api-key'] === 's3cret', 'x-api-key'),
      ...broken(z.looseObject({ version: z.literal(2), event: z.string(), incidents: z.array(z.unknown()) }), body),
    ],
    accepted: { status: 200, body: '{"message":"Workflow was started"}' },
  },
  zabbix: {
    path: '/zabbix/api_jsonrpc.php',
    secret: '0424bd59b807674191e7d77572075f33',
    problemsIn: ({ headers, body }) => [
      ...unless(/^Bearer [\da-f]{32}$/u.test(headers.authorization ?? ''), 'authorization'),
      ...unless(headers['content-type'] === 'application/json', 'content-type'),
      ...broken(historyPush, body),
    ],
    accepted: { status: 200, body: '{"jsonrpc":"2.0","result":{"response":"success","data":[{"itemid":"1"}]},"id":1}' },
    refusals: [
      '{"jsonrpc":"2.0","error":{"code":-32602,"message":"Invalid params.","data":"Not authorized."},"id":1}',
      '{"jsonrpc":"2.0","result":{"response":"success","data":[{"itemid":"1"},{"error":"Item is disabled."}]},"id":1}',
    ],
  },
  servicenow: {
    path: '/api/global/em/jsonv2',
    hasIncidents: true,
    secret: `Authorization: Basic ${Buffer.from('ftm-watch:p4ssword').toString('base64')}`,
    problemsIn: ({ headers, body }) => [
      ...unless(/^Basic [\w+/]+=*$/u.test(headers.authorization ?? ''), 'authorization'),
      ...broken(emEvents, body),
    ],
    accepted: { status: 200, body: '{"result":{"Default Bulk Endpoint":"1 events were inserted"}}' },
  },
};
