import * as z from 'zod';
import { authority } from '../core/addresses.ts';
import type { Certificate } from '../core/certificate.ts';
import { distinctCertificates, sentChain } from '../tls/sent-chain.ts';
import { type Clock, type EpochMs, isRecent, type Millis } from '../core/clock.ts';
import type { MailTls, NewRoot } from '../core/observation.ts';
import { parseCertificate } from '../tls/parse-certificate.ts';
import type { MailServer } from '../config/schema/watched.ts';
import type { BackgroundFile } from '../system/json-file.ts';
import { type ChainTrust, findChainTrust } from '../tls/chain.ts';
import type { PublicRoots } from '../tls/trust.ts';
import type { TlsKnowledge } from '../checks/tls-genuine/judge-path.ts';
import type { EndpointDeps } from './endpoint.ts';

export interface RootFinder {
  readonly endpoint: Pick<EndpointDeps, 'parse'>;
  readonly knowledge: { ofAny(target: string): Pick<TlsKnowledge, 'trust' | 'checks'> };
}

/** A chain in DER format, from the leaf. A verified chain contains the root. */
export interface ReceivedChain {
  readonly ders: readonly Uint8Array[];
  readonly isVerified: boolean;
}

export function mailTlsOf(
  { ders, isVerified }: ReceivedChain,
  server: MailServer,
  { endpoint, knowledge }: RootFinder,
  now: EpochMs,
): MailTls | null {
  const certificates = ders.flatMap((der) => endpoint.parse(der) ?? []);
  const chain = sentChain({ certificates, dropped: 0 });
  if (chain === null) return null;
  const { trust, checks } = knowledge.ofAny(authority(server));
  const found = findChainTrust(chain, {
    trust,
    checks,
    now,
    profile: 'public',
    baseline: null,
    helpers: [],
    host: server.host,
  });
  const root = rootOf(found, trust.publicRoots);
  return {
    chain: {
      certificates: distinctCertificates([...certificates, ...(root === null ? [] : [root])]),
      dropped: ders.length - certificates.length,
    },
    root,
    isVerified,
    trust: server.applianceCaFile === null ? 'machine' : 'appliance',
  };
}

/** If another authority also signed the root's key, the root itself is returned, because clients trust only that. */
function rootOf({ kind, path }: ChainTrust, publicRoots: PublicRoots): Certificate | null {
  const end = path.at(-1);
  if (end === undefined || kind === 'incomplete' || kind === 'forged' || kind === 'unfinished') return null;
  return publicRoots.bySubject(end.subject).find(({ pin }) => pin === end.pin) ?? end;
}

/** Records the root authorities of each mail server, because FortiAuthenticator trusts only imported roots. */
export interface MailRoots {
  /**
   * Returns the roots that the server began to use during the last week, newest first.
   * @param root null if the server's certificate was not verified
   */
  note(server: string, root: Certificate | null): readonly NewRoot[];
}

interface KnownRoot extends NewRoot {
  readonly since: EpochMs;
  readonly lastSeen: EpochMs;
}

const HOUR: Millis = 3_600_000;
const DAY = 24 * HOUR;
/** Servers behind one name may alternate between several roots. */
const REMEMBERED: Millis = 30 * DAY;
/** Long enough to be noticed by administrators who return from a weekend. */
const NEWS: Millis = 7 * DAY;
const MOST_SERVERS = 256;
const MOST_ROOTS = 8;

/** The name of the file in the state folder. */
export const MAIL_ROOTS_FILE = 'mail-roots.json';

/** @param file if null, the roots are kept only while the process runs */
export async function loadMailRoots(file: BackgroundFile | null, { now }: Pick<Clock, 'now'>): Promise<MailRoots> {
  const { data } = content.safeParse(await file?.load());
  const servers = new Map<string, readonly KnownRoot[]>(Object.entries(data?.servers ?? {}));
  return {
    note: (server, root) => {
      const at = now();
      const before = servers.get(server) ?? [];
      const after = root === null ? before : nextRoots(before, root, at);
      servers.delete(server);
      servers.set(server, after);
      for (const oldest of [...servers.keys()].slice(0, -MOST_SERVERS)) servers.delete(oldest);
      if (after !== before) file?.save(storedForm(servers));
      return after
        .filter(({ former, since }) => former.length > 0 && isRecent(since, at, NEWS))
        .toSorted((one, other) => other.since - one.since);
    },
  };
}

/** Returns the same list if it is not worth saving. */
function nextRoots(before: readonly KnownRoot[], root: Certificate, at: EpochMs): readonly KnownRoot[] {
  // Relative to the last connection, so that an interruption does not make the usual root new.
  const last = Math.max(...before.map(({ lastSeen }) => lastSeen));
  const kept = before.filter(({ lastSeen }) => last - lastSeen < REMEMBERED);
  const known = kept.find((one) => one.root.pin === root.pin);
  if (known === undefined) {
    const former = kept.map((one) => one.root);
    return [...kept, { root, former, since: at, lastSeen: at }].slice(-MOST_ROOTS);
  }
  if (isRecent(known.lastSeen, at, HOUR)) return before;
  return kept.map((one) => (one === known ? { ...known, lastSeen: at } : one));
}

const instant = z.number().int();

const certificate = z
  .base64()
  .max(20_000)
  .transform((base64, context): Certificate => {
    const parsed = parseCertificate(Buffer.from(base64, 'base64'));
    if (parsed !== null) return parsed;
    context.addIssue({ code: 'custom', message: 'expected a certificate' });
    return z.NEVER;
  });

const knownRoot = z.object({
  root: certificate,
  former: z.array(certificate).max(MOST_ROOTS),
  since: instant,
  lastSeen: instant,
});

const content = z.object({
  version: z.literal(1),
  servers: z.record(z.string().max(300), z.array(knownRoot).max(MOST_ROOTS)),
});

function storedForm(servers: ReadonlyMap<string, readonly KnownRoot[]>): z.input<typeof content> {
  return {
    version: 1,
    servers: Object.fromEntries(
      [...servers].map(([server, roots]) => [
        server,
        roots.map(({ root, former, ...times }) => ({ root: base64(root), former: former.map(base64), ...times })),
      ]),
    ),
  };
}

function base64({ der }: Certificate): string {
  return Buffer.from(der).toString('base64');
}
