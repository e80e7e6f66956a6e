import type { ApplianceApiConfig } from './section.ts';
import type { ConnectorContext } from '../../network/rest/context.ts';
import { createHttpGetter, type HttpGetter } from '../../network/rest/http-get.ts';
import type { JsonReply, ServerTime } from '../../network/rest/json-exchange.ts';
import { ProbeError } from '../../network/failure.ts';
import { secretOf } from '../../network/rest/secret.ts';

/** The resources that are read: a closed set. */
export type ApplianceResource =
  | 'systeminfo'
  | 'fortitokenmobilelicenses'
  | 'fortitokens'
  | 'fortitokenmobileprovisioning'
  | 'smtpservers'
  | 'fortiguardmessages'
  | 'localusers'
  | 'ldapusers'
  | 'radiususers';

/** Reads one appliance. There is no way to write: `HttpGetter` cannot say another method. */
export interface ApplianceClient extends AsyncDisposable {
  /** `query` begins with a question mark. */
  read(resource: ApplianceResource, query?: string): Promise<JsonReply>;
  /** The next page of a collection, by the `next` that the appliance gave. */
  readNext(resource: ApplianceResource, next: string): Promise<JsonReply>;
  /** Its clock, as each answer until now told it. */
  serverTimes(): readonly ServerTime[];
}

/**
 * Basic authentication with the user's web service key; the key is read from its source now.
 * @throws {Error} when the key, `caFile` or the URL cannot be used
 */
export async function createApplianceClient(
  api: ApplianceApiConfig,
  context: ConnectorContext,
): Promise<ApplianceClient> {
  const key = await secretOf(api.key, context);
  const login = `${api.user}:${key}`;
  const authorization = `Basic ${Buffer.from(login, 'utf8').toString('base64')}`;
  const trust = { caFile: api.caFile, pin: api.pin };
  const http: HttpGetter = await createHttpGetter(
    { url: api.url, trust, authorization, secrets: [key, login] },
    context,
  );
  const times: ServerTime[] = [];
  const get = async (path: string): Promise<JsonReply> => {
    const reply = await http.get(path);
    if (reply.serverTime !== null && times.length < MOST_TIMES) times.push(reply.serverTime);
    return reply;
  };
  return {
    read: (resource, query = '') => get(`${pathOf(resource)}${query}`),
    readNext: async (resource, next) => get(nextPath(resource, next)),
    serverTimes: () => times,
    [Symbol.asyncDispose]: () => http[Symbol.asyncDispose](),
  };
}

/** More would not make its clock any clearer. */
const MOST_TIMES = 20;

/** At the default page size of 20, which older firmware may insist on, 20,000 objects. */
const MAX_PAGES = 1000;

/** What is read page by page, and what becomes of each. */
interface Paged<Page extends { readonly next: string | null }> {
  readonly resource: ApplianceResource;
  readonly query: string;
  /** null: it is not a page of this collection. */
  readonly parse: (value: unknown) => Page | null;
  readonly take: (page: Page) => void;
}

/**
 * Reads a collection, one page at a time.
 * @returns the HTTP status that was answered instead of a page; null: all of it was read
 * @throws {ProbeError} when a page is not understood, or they do not end
 */
export async function readPages<Page extends { readonly next: string | null }>(
  client: ApplianceClient,
  { resource, query, parse, take }: Paged<Page>,
): Promise<number | null> {
  const followed = new Set<string>();
  let reply = await client.read(resource, query);
  for (let pages = 1; ; pages += 1) {
    if (reply.kind === 'status') return reply.status;
    const page = parse(reply.value);
    if (page === null) throw notUnderstood(resource);
    take(page);
    if (page.next === null) return null;
    if (pages >= MAX_PAGES)
      throw new ProbeError('protocol', `Cannot read "${resource}": more than ${String(MAX_PAGES)} pages`);
    if (followed.has(page.next))
      throw new ProbeError('protocol', `Cannot read "${resource}": its pages go in a circle`);
    followed.add(page.next);
    reply = await client.readNext(resource, page.next);
  }
}

export function notUnderstood(resource: ApplianceResource): ProbeError {
  return new ProbeError('protocol', `Cannot understand the answer of "${resource}": expected the documented fields`);
}

/** The trailing slash is part of the name; without it the appliance redirects. */
function pathOf(resource: ApplianceResource): string {
  return `/api/v1/${resource}/`;
}

const MAX_NEXT_LENGTH = 2048;

/**
 * `meta.next` comes from the network, and the key goes where it points: only a relative path to the same collection
 * is followed.
 */
function nextPath(resource: ApplianceResource, next: string): string {
  const base = 'https://appliance.invalid';
  const parsed = next.length <= MAX_NEXT_LENGTH && next.startsWith('/') ? URL.parse(next, base) : null;
  if (parsed === null || parsed.origin !== base || parsed.pathname !== pathOf(resource)) {
    throw new ProbeError(
      'protocol',
      `Cannot follow "meta.next" of "${resource}": expected a path below "${pathOf(resource)}"`,
    );
  }
  return `${parsed.pathname}${parsed.search}`;
}
