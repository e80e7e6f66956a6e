import type { ServiceConfig, WatchedConfig } from '../config/schema/watched.ts';
import type { Millis } from '../core/clock.ts';
import type { OutsideView } from '../core/outside.ts';
import { decidingAddresses, type DnsObservation } from '../core/observation.ts';
import { isInvalid, type PathObservation, type RoundObservations } from '../core/round.ts';
import { isFault } from '../engine/model.ts';
import type { RoundFacts, TargetFacts } from './check.ts';
import { clockObservations, correctedNow } from './clock/judge.ts';
import { type AnswerFaults, answersAfter } from './intermittent/answers.ts';
import { connectionsOf } from './intermittent/finding.ts';
import { NO_SAMPLES, type SampledRound, type Sampling, samplingAfter } from './intermittent/sampling.ts';
import { hasAnswered } from './license-server/judge.ts';
import { judgeOwnNames } from './name-resolution/judge.ts';
import { NO_OTHER_NAMES, otherNamesOf, withoutShared } from './name-resolution/other-names.ts';
import { controlHostsOf } from './reachability/judge.ts';
import type { Verdict } from './tls-genuine/chain-case.ts';
import { controlChainsOf, judgeTlsPath, type TlsKnowledge } from './tls-genuine/judge-path.ts';

/** What earlier rounds have shown. */
interface Earlier {
  readonly sampling: Sampling;
  readonly answers: AnswerFaults;
  readonly answered: ReadonlySet<string>;
  readonly roundTrips: ReadonlyMap<string, Millis>;
}

type KnowledgeOf = (target: string) => TlsKnowledge;

/** Combines a round's observations with what earlier rounds have shown. */
export function roundFactsOf(
  config: WatchedConfig,
  given: RoundObservations,
  { sampling, answers, answered, roundTrips }: Earlier,
  knowledgeOf: KnowledgeOf,
): RoundFacts {
  const { licenseServer } = config;
  const isGenuine = (address: string): boolean => isOfServer(given, address, knowledgeOf);
  const otherNames = otherNamesOf(given, licenseServer.expectedAddresses, isGenuine);
  const observations = withoutShared(given, otherNames);
  const clock = clockObservations(observations, knowledgeOf);
  const { path, startedAt } = observations;
  const surroundings = {
    controls: controlChainsOf(observations.controls),
    now: correctedNow(startedAt, clock),
    roundTrips,
  };
  const controlHosts = controlHostsOf(observations);
  const targetOf = (seen: PathObservation, service: ServiceConfig | null): TargetFacts => {
    const knowledge = knowledgeOf(seen.subject);
    const target = {
      path: seen,
      port: (service ?? licenseServer).port,
      licenseServer: service === null ? licenseServer : null,
      service,
      tls: judgeTlsPath(seen, knowledge, surroundings),
      knowledge,
      surroundings,
      controlHosts,
      otherNames: service === null ? otherNames : NO_OTHER_NAMES,
      sampling: NO_SAMPLES,
      answers: [],
    };
    return { ...target, clean: cleanAddresses(target) };
  };
  const own = targetOf(path.licenseServer, null);
  const services = path.services.flatMap((seen, index) => {
    const service = config.services[index];
    return service === undefined ? [] : [targetOf(seen, service)];
  });
  const kept = isInvalid(observations)
    ? { sampling, answers }
    : {
        sampling: samplingAfter(sampling, sampledIn(observations, own)),
        answers: answersAfter(answers, judgeOwnNames(own) ?? [], startedAt),
      };
  return { observations, targets: [{ ...own, ...kept }, ...services], clock, answered: new Set(answered) };
}

/** The same round, judged with what other networks see of the licence server. */
export function withOutside(facts: RoundFacts, outside: OutsideView): RoundFacts {
  const [own, ...services] = facts.targets;
  const surroundings = { ...own.surroundings, outside };
  const seen = { ...own, surroundings, tls: judgeTlsPath(own.path, own.knowledge, surroundings) };
  return { ...facts, targets: [{ ...seen, clean: cleanAddresses(seen) }, ...services] };
}

/** An address belongs to the licence server if it presents the licence server's certificate. */
const SERVER_VERDICTS: readonly Verdict[] = ['genuine', 'rotated', 'vendor-ca-changed'];

function isOfServer({ path, startedAt }: RoundObservations, address: string, knowledgeOf: KnowledgeOf): boolean {
  const { licenseServer } = path;
  const endpoints = licenseServer.endpoints.filter((endpoint) => endpoint.address === address);
  const knowledge = knowledgeOf(licenseServer.subject);
  const { worst } = judgeTlsPath({ ...licenseServer, endpoints }, knowledge, { controls: [], now: startedAt });
  return worst !== null && SERVER_VERDICTS.includes(worst.verdict);
}

/** An address works only if every stage succeeds. */
function cleanAddresses(target: Omit<TargetFacts, 'clean'>): readonly string[] {
  const { path, tls } = target;
  const unclean = [
    ...path.endpoints.filter((endpoint) => endpoint.tls === null || !hasAnswered(endpoint)),
    ...tls.endpoints.flatMap(({ endpoint, judgement }) =>
      judgement.findings.some((finding) => isFault(finding) || finding.level === 'unknown') ? [endpoint] : [],
    ),
  ].map(({ address }) => address);
  const misled = judgeOwnNames(target)?.flatMap(({ level, facts }) => (level === 'note' ? [] : (facts?.address ?? [])));
  return path.endpoints
    .map(({ address }) => address)
    .filter((address) => !unclean.includes(address) && misled?.includes(address) !== true);
}

function sampledIn(round: RoundObservations, { path, tls, knowledge, surroundings }: TargetFacts): SampledRound {
  const { burst } = round.path;
  const judged = judgeTlsPath({ ...path, endpoints: burst }, knowledge, surroundings).endpoints;
  const dialled = path.endpoints.map(({ address }) => address);
  const answers = path.names.flatMap(addressesIn);
  return {
    at: round.startedAt,
    answers: path.names.length === 0 ? dialled : dialled.filter((address) => answers.includes(address)),
    deciding: decidingAddresses(path.endpoints).map(({ address }) => address),
    own: connectionsOf(path.endpoints, tls.endpoints),
    burst: burst.length === 0 ? null : connectionsOf(burst, judged),
  };
}

function addressesIn({ a, aaaa }: DnsObservation): readonly string[] {
  return [a, aaaa].flatMap((reply) => (reply.kind === 'answer' ? reply.addresses : []));
}
