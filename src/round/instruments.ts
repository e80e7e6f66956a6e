import type { Config } from '../config/config.ts';
import { readSecret, type SecretSource } from '../system/secret.ts';
import { type PageProduct, recogniseBlockPage } from '../core/block-page.ts';
import { createCertificateCache } from '../core/parse-certificate.ts';
import type { Clock, EpochMs, Millis } from '../core/clock.ts';
import { dialledAddresses } from '../checks/name-resolution/judge.ts';
import { burstOf, needsCloserLook } from '../checks/intermittent/path-share.ts';
import type { RoundObservations, RoundTools } from './registry.ts';
import { authority } from '../core/addresses.ts';
import { createSystemLookup, createLimiter } from '../network/lookup.ts';
import { FileTrust, createProbeSecureContext, publicTrust } from '../network/tls/secure-context.ts';
import type { BackgroundFile } from '../system/json-file.ts';
import { askEachTime, observeAnyAddress, type PathTarget, type PathTools } from './path.ts';
import type { JudgedRound } from '../checks/judgement.ts';
import { answeringHosts } from '../checks/internet/judge.ts';
import { assessRound, type EarlierVerdicts } from './assess.ts';
import { loadGenuineMemory, loadTlsKnowledge, type TlsKnowledgeBase } from './tls-knowledge.ts';
import {
  type TlsKnowledge,
  controlChainsOf,
  judgeTlsPath,
  type JudgedTlsPath,
} from '../checks/tls-genuine/judge-path.ts';
import { observeRound, type RoundWatch } from './round.ts';
import { createCloserLooks, type ReferenceTools } from './second-looks.ts';
import { createMailDeferrals, observeMailServer, type MailTools } from './mail.ts';
import { createRecipientLooks } from './recipient-servers.ts';
import { observeExchanges } from './dns.ts';
import { createOlderTls, type OlderTlsTools } from './older-tls.ts';
import { loadShareMemory } from './memory.ts';
import type { TlsJudgement, Verdict } from '../checks/tls-genuine/chain-case.ts';
import type { PathObservation } from '../core/round.ts';
import type { AnchoredAddress, OpensslTools } from './openssl.ts';
import { isOlderInspected } from '../checks/tls-genuine/judge-older-tls.ts';
import type { MailServerConfig } from '../config/schema/mail.ts';
import type { ResolverConfig } from '../config/schema/secret.ts';
import type { DnsObservation, MailObservation } from '../core/observation.ts';
import type { ProbeContext } from '../network/context.ts';

/** Everything that the rounds of one configuration share. */
export interface ProbeKit {
  observe(signal: AbortSignal, wishes: RoundWishes): Promise<RoundObservations>;
  /** Judges a round, and remembers its leaves and its failures for the next. */
  assess(round: RoundObservations): JudgedRound;
  /** Whether another round at once would tell more of a connection that failed. */
  needsCloserLook(): boolean;
  /** What chains of a target are judged by. */
  knowledgeOf(target: string): TlsKnowledge;
  /** Which patterns of the product files are not used, and why: a sentence each. */
  readonly skippedPatterns: readonly string[];
  /** Single looks, beside the rounds and within the same limits. */
  readonly looks: TargetProbes;
}

export interface RoundWishes
  extends Pick<RoundTools, 'mailServers' | 'mailPace' | 'codeLife' | 'isComplained'>,
    Pick<RoundWatch, 'onProgress'> {
  /** When FortiAuthenticator last complained of what the path can cause; null: it does not. */
  readonly complainedAt: EpochMs | null;
  /** Until nobody waits for the round any more; without, it takes its time. */
  readonly timeLeft?: Millis;
}

/** For what comes after a burst of connections; and without so much time for itself it would say nothing. */
const AFTER_BURST: Millis = 1_000;
const LEAST_BURST: Millis = 2_500;

export interface ProbeKitDeps {
  readonly clock: Clock;
  readonly env: NodeJS.ProcessEnv;
  /** Where it is kept when each target was last genuine; without, only while the process runs. */
  readonly genuineFile?: BackgroundFile;
  /** Where the share of connections that fail is kept; without, only while the process runs. */
  readonly shareFile?: BackgroundFile;
  /** How long a mail server is waited for, where that is not as long as in the daemon. */
  readonly mailLimit?: Millis;
}

/** Of all connections at once. With fewer, a round of 200 silent servers ends before the last has its turn. */
const CONNECTIONS = 128;

/** A chain has up to four certificates, most of which are known from another one; the rest is for those that change. */
const CERTIFICATES = { spare: 512, perTarget: 2 };

/** @throws {Error} when a CA file, a product file or the learned trust cannot be read */
export async function createProbeKit(
  config: Config,
  { clock, env, genuineFile, shareFile, mailLimit }: ProbeKitDeps,
): Promise<ProbeKit> {
  const memory = await loadGenuineMemory(genuineFile ?? null, clock.now());
  const knowledge = await loadTlsKnowledge(config, memory, clock);
  // Loaded when it is first used, it would be a part of the first answer's time.
  if (config.resolvers.some(({ kind }) => kind === 'https')) await import('../network/dns/https.ts');
  const share = await loadShareMemory(shareFile ?? null, authority(config.licenseServer), clock.now());
  const answered = new Set<string>();
  const tools: StandingTools = {
    ...createConnectionTools(config, { env, products: knowledge.products, mailLimit }),
    ...createSecondLooks(knowledge, clock),
    olderTls: createOlderTls(clock),
    closerLooks: createCloserLooks(clock),
    recipientLooks: createRecipientLooks(clock),
    deferrals: createMailDeferrals(clock),
  };

  let earlier: EarlierVerdicts = {};

  return {
    observe: (signal, { complainedAt, timeLeft, ...wishes }) => {
      const burst = burstOf(share.current(), clock.now(), complainedAt);
      const burstLimit = (timeLeft ?? Number.POSITIVE_INFINITY) - AFTER_BURST;
      const given = { ...tools, ...wishes, burst: burstLimit < LEAST_BURST ? [] : burst, burstLimit };
      return observeRound(config, given, { clock, env, signal, sourceAddress: config.sourceAddress });
    },
    assess: (round) => {
      const { judged, ...next } = assessRound(config, round, {
        tlsOf: (target) => knowledge.of(target),
        share: share.current(),
        answered,
        earlier,
      });
      earlier = next.earlier;
      for (const subject of answeringHosts(round)) answered.add(subject);
      share.note(next.share, round.startedAt);
      for (const { path, judged: seen } of judged.tls) knowledge.remember(path.subject, seen, round.startedAt);
      memory.note(judged.tls, round.startedAt);
      return judged;
    },
    needsCloserLook: () => needsCloserLook(share.current(), clock.now()),
    knowledgeOf: (target) => knowledge.of(target),
    skippedPatterns: knowledge.skippedPatterns,
    looks: createTargetProbes(config, tools, { clock, env, knowledgeOf: (target) => knowledge.ofAny(target) }),
  };
}

/** What a round works with, apart from what belongs to this round alone. */
type StandingTools = Omit<RoundTools & RoundWatch, keyof RoundWishes | 'burst' | 'burstLimit'>;

function createConnectionTools(
  config: Config,
  {
    env,
    products,
    mailLimit: limit,
  }: {
    readonly env: NodeJS.ProcessEnv;
    readonly products: readonly PageProduct[];
    readonly mailLimit: Millis | undefined;
  },
): Pick<
  StandingTools,
  'system' | 'askName' | 'acceptable' | 'endpoint' | 'limiter' | 'mail' | 'askExchanges' | 'exchangePort'
> {
  const judged = config.services.length + config.controlHosts.length;
  const certificates = createCertificateCache(CERTIFICATES.spare + CERTIFICATES.perTarget * judged);
  const trust = publicTrust();
  const system = createSystemLookup();
  const secrets = (source: SecretSource): Promise<string> => readSecret(source, env);
  return {
    system,
    askName: askEachTime({ system, trust }),
    acceptable: dialledAddresses,
    endpoint: {
      secureContext: createProbeSecureContext(),
      parse: (der) => certificates.parse(der),
      readSecret: secrets,
      recognisePage: (candidate) => recogniseBlockPage(candidate, products),
    },
    limiter: createLimiter(CONNECTIONS),
    mail: { trust, fileTrust: new FileTrust(), readSecret: secrets, ...(limit === undefined ? {} : { limit }) },
    askExchanges: (domain, resolver, ctx) => observeExchanges(domain, resolver, { system, trust }, ctx),
    exchangePort: 25,
  };
}

const NEEDS_NO_REFERENCE: readonly Verdict[] = ['genuine', 'rotated'];

/** What further connections a round makes, after what the first ones showed. */
function createSecondLooks(
  knowledge: TlsKnowledgeBase,
  { now }: Pick<Clock, 'now'>,
): Pick<ReferenceTools, 'needsReference'> &
  Pick<OpensslTools, 'unheard' | 'heard'> &
  Pick<OlderTlsTools, 'isOlderDisputed'> {
  function judge(path: PathObservation, controls: readonly PathObservation[]): JudgedTlsPath {
    return judgeTlsPath(path, knowledge.of(path.subject), { controls: controlChainsOf(controls), now: now() });
  }

  return {
    needsReference: (path, controls) => judge(path, controls).endpoints.some(({ judgement }) => isDoubtful(judgement)),
    unheard: (path, controls) => {
      const { openssl } = knowledge.of(path.subject);
      if (!path.endpoints.some(({ tls }) => tls?.chain && openssl.isOpen(tls.chain))) return [];
      return judge(path, controls).endpoints.flatMap(
        ({ endpoint: { address }, outcome: { chain }, judgement: { accepted } }): readonly AnchoredAddress[] =>
          chain !== null && accepted !== null && openssl.take(chain) ? [{ address, anchor: accepted.end }] : [],
      );
    },
    isOlderDisputed: (path, older) => {
      const seen = { ...path, references: [older] };
      const surroundings = { controls: [], now: now() };
      const known = knowledge.of(path.subject);
      return isOlderInspected(seen, judgeTlsPath(seen, known, surroundings), known, surroundings);
    },
    heard: ({ subject }, { chain, word }) => knowledge.of(subject).openssl.keep(chain, word),
  };
}

/** A chain with a flaw leads to a trusted key: another server name would tell nothing about it. */
function isDoubtful({ verdict, accepted }: TlsJudgement): boolean {
  return !NEEDS_NO_REFERENCE.includes(verdict) && (accepted?.flaws ?? []).length === 0;
}

/**
 * One look at one thing. Nothing is thrown for what the target does; where the signal is aborted before a name or a
 * mail server had its turn, its reason is.
 */
export interface TargetProbes {
  /** Until one address has answered. */
  path(target: PathTarget, signal: AbortSignal): Promise<PathObservation>;
  name(name: string, resolver: ResolverConfig, signal: AbortSignal): Promise<DnsObservation>;
  mail(server: MailServerConfig, signal: AbortSignal): Promise<MailObservation>;
  /** What chains are judged by, of targets that the rounds do not judge too. */
  knowledgeOf(target: string): TlsKnowledge;
}

interface LookDeps extends Pick<TargetProbes, 'knowledgeOf'> {
  readonly clock: Clock;
  readonly env: NodeJS.ProcessEnv;
}

function createTargetProbes(
  config: Config,
  tools: PathTools & MailTools,
  { clock, env, knowledgeOf }: LookDeps,
): TargetProbes {
  const context = (signal: AbortSignal): ProbeContext => ({ clock, env, signal, sourceAddress: config.sourceAddress });
  return {
    path: (target, signal) => observeAnyAddress(target, tools, context(signal)),
    name: (name, resolver, signal) => tools.limiter.run(() => tools.askName(name, resolver, context(signal)), signal),
    mail: (server, signal) =>
      tools.limiter.run(() => observeMailServer(server, config, tools, context(signal)), signal),
    knowledgeOf,
  };
}
