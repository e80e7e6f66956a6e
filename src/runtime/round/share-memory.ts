import * as z from 'zod';
import { isFaultId, type FaultId } from '../../checks/registry.ts';
import type { EpochMs, Millis } from '../../core/clock.ts';
import type { Connection, ConnectionFault, ConnectionShare } from '../../checks/intermittent/connection-share.ts';
import { NO_SHARE, type PathShare } from '../../checks/intermittent/path-share.ts';
import type { BackgroundFile } from '../../system/json-file.ts';

/** The share of connections that fail, over restarts: without it a fault in half of them would end and begin again. */
export interface ShareMemory {
  current(): PathShare;
  /** Takes the next one, and keeps it where it tells anything. */
  note(share: PathShare, at: EpochMs): void;
}

/** What was kept before a longer break is past. */
const LONGEST_BREAK: Millis = 15 * 60_000;

const instant = z.number().int();
const text = z.string().max(20_000);
const addresses = z.array(text).max(1_000);

const fault: z.ZodType<ConnectionFault> = z.object({
  stage: z.literal(['reachability', 'tls-genuine']),
  cause: z.custom<FaultId>((value) => typeof value === 'string' && isFaultId(value)),
  confidence: z.literal(['confirmed', 'suspected']),
  product: text.nullable(),
  claim: text,
});

const connection: z.ZodType<Connection> = z.object({ address: text, fault: fault.nullable() });

const connectionShare: z.ZodType<ConnectionShare> = z
  .object({
    addresses,
    rotates: z.boolean(),
    pattern: z.literal(['none', 'steady', 'single', 'doubtful', 'intermittent']),
    trail: z.array(connection).max(1_000),
    score: z.number(),
    returns: z.number(),
    intermittent: z.boolean(),
    grave: z.boolean(),
  })
  .transform((kept) => ({ ...kept, reported: kept.trail }));

/** Version 1 judged outages that returned as intermittent: what it kept is dropped. */
const content = z.object({
  version: z.literal(2),
  target: text,
  at: instant,
  share: z.object({
    addresses: z.array(connectionShare).max(1_000),
    families: z
      .array(
        z.object({
          family: z.literal([4, 6]),
          share: connectionShare,
          members: z.array(z.object({ address: text, seenAt: instant, returned: z.boolean() })).max(1_000),
          current: addresses,
          outages: addresses,
        }),
      )
      .max(2),
    whole: connectionShare,
    unclean: addresses,
    bursts: z.array(z.object({ at: instant, isAsked: z.boolean(), isOutage: z.boolean() })).max(100),
    forgeries: z.array(z.object({ at: instant, address: text, fault })).max(1_000),
  }),
});

/** @param file null: nothing is remembered beyond this process */
export async function loadShareMemory(file: BackgroundFile | null, target: string, now: EpochMs): Promise<ShareMemory> {
  const { data } = content.safeParse(await file?.load());
  const isRecent = data !== undefined && data.at <= now && now - data.at < LONGEST_BREAK;
  let share: PathShare = isRecent && data.target === target ? data.share : NO_SHARE;
  return {
    current: () => share,
    note: (next, at) => {
      const saysNothing = isClear(share) && isClear(next);
      share = next;
      if (!saysNothing) file?.save({ version: 2, target, at, share: storedForm(next) });
    },
  };
}

function isClear({ addresses: singles, families, whole, forgeries }: PathShare): boolean {
  if (forgeries.length > 0) return false;
  return [...singles, ...families.map((family) => family.share), whole].every(({ trail }) => trail.length === 0);
}

/** Without what is reported: that is the trail, except for what is past with its round. */
function storedForm({ addresses: singles, families, whole, ...rest }: PathShare): unknown {
  const kept = (share: ConnectionShare): unknown => ({ ...share, reported: undefined });
  return {
    ...rest,
    addresses: singles.map(kept),
    families: families.map((family) => ({ ...family, share: kept(family.share) })),
    whole: kept(whole),
  };
}
