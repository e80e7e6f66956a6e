import type { Config } from '../../config/config.ts';
import type { MailServerConfig } from '../../sources/mail/section.ts';
import type { ResolverConfig } from '../../config/schema/resolver.ts';
import type { Clock } from '../../core/clock.ts';
import type { DnsObservation, MailObservation } from '../../core/observation.ts';
import type { PathObservation } from '../../core/round.ts';
import type { ProbeContext } from '../../network/context.ts';
import type { TlsKnowledge } from '../../checks/tls-genuine/judge-tls-path.ts';
import { observeMailServer, type MailTools } from '../../sources/mail/observe-mail-server.ts';
import { observeAnyAddress, type PathTarget, type PathTools } from '../../sources/target/observe-path.ts';

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

export interface LookDeps extends Pick<TargetProbes, 'knowledgeOf'> {
  readonly clock: Clock;
  readonly env: NodeJS.ProcessEnv;
}

export function createTargetProbes(
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
