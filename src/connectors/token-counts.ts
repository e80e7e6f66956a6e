import { fieldsOf } from '../core/fields.ts';
import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { EpochMs } from '../core/clock.ts';
import {
  type PendingToken,
  TOKEN_STATUSES,
  type TokenCounts,
  type TokenStatus,
  MOST_PENDING,
  pendingSince,
  type PendingSince,
  type LicensedTokens,
  type SmsQuota,
} from '../core/license/appliance.ts';
import { cutList, serialNumber, lenientCount } from '../network/rest/reply-values.ts';
import { valueOf } from '../core/observation.ts';
import type { BackgroundFile } from '../system/json-file.ts';
import type { UnitObservation } from './picture.ts';

/** Tokens whose licences are beyond this limit are counted as tokens without a licence. */
const MAX_LICENSES = 1000;

/** Appliances do not support larger pages. */
export const PAGE_SIZE = 1000;

const TOKEN = z.object({
  serial: z.unknown().optional(),
  type: z.unknown().optional(),
  status: z.unknown().optional(),
  license: z.unknown().optional(),
  /** Independent of the status (docs:fortiauthenticator/6.5.5/rest-api-solution-guide/875895). */
  locked: z.unknown().optional(),
});

const TOKEN_PAGE = z.object({
  meta: z.object({ next: z.string().nullish() }),
  objects: cutList(TOKEN, PAGE_SIZE + 1),
});

type TokenObject = Readonly<z.infer<typeof TOKEN>>;

export interface TokenPage {
  readonly tokens: readonly TokenObject[];
  /** Null on the last page. */
  readonly next: string | null;
}

/** Returns null if the value is not a page or if it contains more tokens than requested. */
export function parseTokenPage(value: unknown): TokenPage | null {
  const parsed = TOKEN_PAGE.safeParse(value);
  if (!parsed.success) return null;
  const { meta, objects } = parsed.data;
  if (objects.length > PAGE_SIZE) return null;
  const next = meta.next === undefined || meta.next === null || meta.next === '' ? null : meta.next;
  return { tokens: objects, next };
}

/** Does not keep the tokens, so that memory use does not depend on their number. */
interface TokenCounter {
  add(tokens: readonly TokenObject[]): void;
  counts(): TokenCounts;
}

export function createTokenCounter(): TokenCounter {
  const byStatus: Record<TokenStatus, number> = { new: 0, available: 0, pending: 0, assigned: 0, other: 0 };
  const locked: Record<TokenStatus, number> = { ...byStatus };
  const byLicense = new Map<string, number>();
  let total = 0;
  let withoutLicense = 0;
  const pending: PendingToken[] = [];

  function addLicense(token: TokenObject): void {
    const license = serialNumber.safeParse(token.license);
    if (!license.success || (byLicense.size >= MAX_LICENSES && !byLicense.has(license.data))) withoutLicense += 1;
    else if (isMobileSerial(token.serial)) byLicense.set(license.data, (byLicense.get(license.data) ?? 0) + 1);
  }

  function addPending({ serial }: TokenObject): void {
    if (typeof serial === 'string' && pending.length < MOST_PENDING) pending.push({ id: tokenId(serial), age: 0 });
  }

  return {
    add: (tokens) => {
      for (const token of tokens) {
        // The appliance may have ignored the query's filter for mobile tokens.
        if (token.type === 'ftk') continue;
        total += 1;
        const status = statusOf(token.status);
        byStatus[status] += 1;
        if (status === 'pending') addPending(token);
        if (token.locked === true || token.locked === 'true') locked[status] += 1;
        addLicense(token);
      }
    },
    counts: () => ({
      total,
      byStatus: { ...byStatus },
      byLicense: [...byLicense]
        .map(([license, tokens]) => ({ license, tokens }))
        .toSorted((a, b) => (a.license < b.license ? -1 : 1)),
      locked: { ...locked },
      withoutLicense,
      ...(pending.length === 0 ? {} : { pending: [...pending] }),
    }),
  };
}

function isMobileSerial(serial: unknown): boolean {
  return typeof serial === 'string' && serial.toUpperCase().startsWith('FTKMOB');
}

function statusOf(status: unknown): TokenStatus {
  const word = typeof status === 'string' ? status.toLowerCase() : '';
  return TOKEN_STATUSES.find((known) => known === word) ?? 'other';
}

/** For example `{"available_ftm": 30, "total_ftm": 32, "used_ftm": 2}`. Null if the total is missing. */
export function parseLicensedTokens(value: unknown): LicensedTokens | null {
  const fields = fieldsOf(value);
  const total = lenientCount(fields['total_ftm']);
  if (total === null) return null;
  return { total, used: lenientCount(fields['used_ftm']), available: lenientCount(fields['available_ftm']) };
}

/** For example `{"available_sms": 90, "total_sms": 100, "used_sms": 10}`. Null if the counts are missing. */
export function parseSmsQuota(value: unknown): SmsQuota | null {
  const fields = fieldsOf(value);
  const [total, available] = [lenientCount(fields['total_sms']), lenientCount(fields['available_sms'])];
  return total === null || available === null ? null : { total, available };
}

const SAVED = z.object({ pending: z.record(z.string(), z.number()) });

/** Only the hash is stored, because the serial number identifies a user's token. */
function tokenId(serial: string): string {
  return createHash('sha256').update(serial.toUpperCase()).digest('base64url').slice(0, 22);
}

/** Remembers the time since which each token has been pending, across queries and restarts. */
export interface PendingMemory {
  /** @param names names of all units that report tokens */
  withAges(unit: UnitObservation, names: readonly string[], at: EpochMs): Promise<UnitObservation>;
}

/** @param file read once, at the first query; invalid content counts as empty */
export function createPendingMemory(file: BackgroundFile): PendingMemory {
  /** The key is the unit. Null if the unit did not report its tokens. */
  const told = new Map<string, readonly string[] | null>();
  let loading: Promise<PendingSince> | null = null;
  let seen: PendingSince | null = null;
  return {
    withAges: async (unit, names, at) => {
      loading ??= savedIn(file);
      const saved = await loading;
      const tokens = unit.rest?.kind === 'ok' ? valueOf(unit.rest.tokens) : null;
      told.set(unit.config.name, tokens === null ? null : (tokens.pending ?? []).map(({ id }) => id));
      const lists = names.map((name) => told.get(name) ?? null);
      const ids = lists.flatMap((list) => list ?? []);
      seen = pendingSince(seen ?? saved, { ids, isWhole: !lists.includes(null), at });
      file.save({ pending: Object.fromEntries(seen) });
      return withAges(unit, seen, at);
    },
  };
}

async function savedIn(file: BackgroundFile): Promise<PendingSince> {
  const parsed = SAVED.safeParse(await file.load());
  return new Map(parsed.success ? Object.entries(parsed.data.pending).slice(0, MOST_PENDING) : []);
}

function withAges(unit: UnitObservation, seen: PendingSince, at: EpochMs): UnitObservation {
  const { rest } = unit;
  if (rest?.kind !== 'ok' || rest.tokens.kind !== 'read') return unit;
  const { value } = rest.tokens;
  const pending = (value.pending ?? []).map(({ id }) => ({ id, age: at - (seen.get(id) ?? at) }));
  return { ...unit, rest: { ...rest, tokens: { kind: 'read', value: { ...value, pending } } } };
}
