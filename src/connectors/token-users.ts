import * as z from 'zod';
import type { Millis } from '../core/clock.ts';
import { sameSerial } from '../core/license/appliance.ts';
import { type ConnectorContext, statusText } from '../network/rest/json-exchange.ts';
import { cutList, serialNumber } from '../network/rest/reply-values.ts';
import { deadline } from '../system/clock.ts';
import { type ApplianceClient, createApplianceClient, readPages } from './appliances.ts';
import type { ApplianceApiConfig } from '../config/schema/watched.ts';
import { PAGE_SIZE as TOKENS_PER_PAGE, parseTokenPage } from './token-counts.ts';

interface TokenUser {
  readonly name: string;
  readonly kind: UserKind;
  /** Serial number. */
  readonly token: string;
}

export interface TokenUsers {
  /** Sorted by name. */
  readonly users: readonly TokenUser[];
  /**
   * Resources for which the account lacks permission or that the firmware does not have. Users from these resources are
   * missing from `users`.
   */
  readonly unread: readonly UserResource[];
}

type UserKind = (typeof KINDS)[UserResource];
type UserResource = keyof typeof KINDS;

const KINDS = { localusers: 'local', ldapusers: 'LDAP', radiususers: 'RADIUS' } as const;
const RESOURCES = ['localusers', 'ldapusers', 'radiususers'] as const satisfies readonly UserResource[];

/** The account lacks permission, or the firmware does not have the resource. */
const NOT_READABLE: readonly number[] = [401, 403, 404, 405];

const TIMEOUT: Millis = 60_000;

/** Limits a page to 1 MiB, because a user's object with custom fields and many groups is larger than 1 KB. */
const PAGE_SIZE = 250;

/** docs:fortiauthenticator/6.3.0/rest-api-solution-guide/347822, 829822 */
const USER_PAGE = z.object({
  meta: z.object({ next: z.string().nullish() }),
  objects: cutList(
    z.object({
      username: z.string().catch(''),
      token_type: z.unknown().optional(),
      token_serial: z.unknown().optional(),
    }),
    PAGE_SIZE + 1,
  ),
});

/**
 * Sends only GET requests. Called only at an administrator's request, never by the daemon.
 * @param licenses null for all licences
 * @throws {Error} when the unit cannot be read
 */
export async function readTokenUsers(
  api: ApplianceApiConfig,
  licenses: readonly string[] | null,
  context: ConnectorContext,
): Promise<TokenUsers> {
  using limit = deadline(context.clock, TIMEOUT, context.signal);
  await using client = await createApplianceClient(api, { ...context, signal: limit.signal });
  const tokens = licenses === null ? null : await tokensOf(licenses, client);
  const users: TokenUser[] = [];
  const unread: UserResource[] = [];
  for (const resource of RESOURCES) {
    const status = await readPages(client, {
      resource,
      query: `?limit=${String(PAGE_SIZE)}`,
      parse: parseUserPage,
      take: (page) => users.push(...page.users.map((user) => ({ ...user, kind: KINDS[resource] }))),
    });
    if (status === null) continue;
    if (!NOT_READABLE.includes(status)) throw new Error(`Cannot read "${resource}": ${statusText(status)}`);
    unread.push(resource);
  }
  return {
    users: users
      .filter(({ token }) => tokens === null || tokens.has(token))
      .toSorted((one, other) => (one.name < other.name ? -1 : 1)),
    unread,
  };
}

async function tokensOf(licenses: readonly string[], client: ApplianceClient): Promise<ReadonlySet<string>> {
  const serials = new Set<string>();
  const status = await readPages(client, {
    resource: 'fortitokens',
    query: `?type=ftm&limit=${String(TOKENS_PER_PAGE)}`,
    parse: parseTokenPage,
    take: ({ tokens }) => {
      for (const { serial, license } of tokens) {
        const [token, from] = [serialNumber.safeParse(serial), serialNumber.safeParse(license)];
        if (token.success && from.success && licenses.some((one) => sameSerial(one, from.data)))
          serials.add(token.data);
      }
    },
  });
  if (status !== null) throw new Error(`Cannot read the licences' tokens: HTTP ${String(status)}`);
  return serials;
}

function parseUserPage(
  value: unknown,
): { readonly users: readonly Omit<TokenUser, 'kind'>[]; readonly next: string | null } | null {
  const parsed = USER_PAGE.safeParse(value);
  if (!parsed.success || parsed.data.objects.length > PAGE_SIZE) return null;
  const users = parsed.data.objects.flatMap(({ username, token_type: type, token_serial: serial }) => {
    const token = serialNumber.safeParse(serial);
    return type === 'ftm' && token.success && username !== '' ? [{ name: username, token: token.data }] : [];
  });
  return { users, next: parsed.data.meta.next || null };
}
