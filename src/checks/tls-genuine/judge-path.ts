import { addressFamily } from '../../core/addresses.ts';
import { decidingAddresses, type EndpointObservation, type TlsOutcome } from '../../core/observation.ts';
import type { Finding } from '../../engine/model.ts';
import type { EpochMs, Millis } from '../../core/clock.ts';
import type { OutsideView } from '../../core/outside.ts';
import { withMoreSaid } from '../../engine/words.ts';
import type {
  ControlChain,
  ReferenceChain,
  TlsEvidence,
  TlsGrounds,
  TlsJudgement,
  RefusedBaseline,
  Verdict,
} from './chain-case.ts';
import { FLAW_RULE } from './expectations.ts';
import type { SignatureChecks } from '../../tls/chain.ts';
import { judgeTls, worstJudgement } from './verdict.ts';
import type { PathObservation } from '../../core/round.ts';

/** TLS facts about a target that are kept between rounds. */
export interface TlsKnowledge extends TlsGrounds {
  /** Not used, because it was learned without confirmation. */
  readonly refusedBaseline: RefusedBaseline | null;
  /** Cache of verified signatures. */
  readonly checks: SignatureChecks;
}

export interface JudgedEndpoint {
  readonly endpoint: EndpointObservation;
  readonly outcome: TlsOutcome;
  readonly judgement: TlsJudgement;
}

export interface JudgedTlsPath {
  readonly endpoints: readonly JudgedEndpoint[];
  /** Null if no handshake was tried. */
  readonly worst: TlsJudgement | null;
}

export interface TlsSurroundings {
  /** As returned by `controlChainsOf`. */
  readonly controls: readonly ControlChain[];
  readonly now: EpochMs;
  /** Lower bound of the round trip to each address, from the latest connections that the address accepted. */
  readonly roundTrips?: ReadonlyMap<string, Millis>;
  /** Absent for a service, and if other networks were not asked. */
  readonly outside?: OutsideView;
}

export function judgeTlsPath(
  path: PathObservation,
  knowledge: TlsKnowledge,
  surroundings: TlsSurroundings,
): JudgedTlsPath {
  const endpoints = tlsEvidence(path, knowledge, surroundings).map(({ endpoint, evidence }) => ({
    endpoint,
    outcome: evidence.outcome,
    judgement: judgeTls(evidence, knowledge.checks),
  }));
  return { endpoints, worst: combine(endpoints) };
}

const NEEDS_NO_REFERENCE: readonly Verdict[] = ['genuine', 'rotated'];

/** Genuine chains do not need a reference connection in every round. */
export function needsReference(path: PathObservation, knowledge: TlsKnowledge, surroundings: TlsSurroundings): boolean {
  const { endpoints } = judgeTlsPath(path, knowledge, surroundings);
  return endpoints.some(({ judgement }) => isDoubtful(judgement));
}

/** A chain that has flaws but leads to a trusted key does not come from an inspecting device. */
function isDoubtful({ verdict, findings }: TlsJudgement): boolean {
  return !NEEDS_NO_REFERENCE.includes(verdict) && !findings.some(({ rule }) => rule === FLAW_RULE);
}

/** Only decisive addresses can break the precondition, but findings about all addresses are returned. */
function combine(judged: readonly JudgedEndpoint[]): TlsJudgement | null {
  if (judged.length < 2) return judged[0]?.judgement ?? null;
  const deciding = decidingAddresses(judged.map(({ endpoint }) => endpoint));
  const told = judged.map(({ endpoint, judgement }) => ({
    decides: deciding.includes(endpoint),
    judgement: {
      ...judgement,
      findings: judgement.findings.map((finding) => atAddress(finding, endpoint.address)),
    },
  }));
  const worst = worstJudgement(told.filter(({ decides }) => decides).map(({ judgement }) => judgement));
  const others = told.filter(({ decides }) => !decides).flatMap(({ judgement }) => judgement.findings.map(ofOther));
  return worst === null ? null : { ...worst, findings: [...worst.findings, ...others] };
}

/** Adds the affected address to the finding. */
function atAddress(finding: Finding, address: string): Finding {
  return { ...withMoreSaid(finding, ' ', `(${address})`), facts: { ...finding.facts, address } };
}

function ofOther(finding: Finding): Finding {
  if (finding.level === 'unknown') return { ...finding, level: 'note' };
  return finding.level === 'broken' ? { ...finding, level: 'warning' } : finding;
}

export function tlsEvidence(
  path: PathObservation,
  { trust, profile, products, baseline, pinned = null }: TlsKnowledge,
  { controls, now, roundTrips, outside }: TlsSurroundings,
): readonly { readonly endpoint: EndpointObservation; readonly evidence: TlsEvidence }[] {
  return path.endpoints.flatMap((endpoint) => {
    const outcome = endpoint.tls;
    if (outcome === null) return [];
    const roundTrip = roundTrips?.get(endpoint.address);
    const evidence: TlsEvidence = {
      target: path.subject,
      serverName: outcome.serverName === '' ? null : outcome.serverName,
      outcome,
      ...(path.closer?.address === endpoint.address ? { closer: path.closer } : {}),
      references: referencesFor(endpoint, path),
      traces: endpoint.http?.kind === 'response' ? endpoint.http.proxyTraces : [],
      ...(roundTrip === undefined ? {} : { roundTrip }),
      controls,
      // Other networks ask for the host's name. With another server name, a server may present another certificate.
      ...(outside === undefined || outcome.serverName !== path.host ? {} : { outside }),
      now,
      trust,
      profile,
      products,
      baseline,
      pinned,
    };
    return [{ endpoint, evidence }];
  });
}

/** Collected once per round for all targets. */
export function controlChainsOf(controls: readonly PathObservation[]): readonly ControlChain[] {
  return controls.flatMap(({ subject, endpoints }) =>
    endpoints.flatMap(({ tls }) => (tls?.chain ? [{ target: subject, chain: tls.chain }] : [])),
  );
}

/** An address that only another resolver returned has a separate kind. */
function referencesFor(endpoint: EndpointObservation, path: PathObservation): readonly ReferenceChain[] {
  const own = resolversOf(endpoint, path);
  const elsewhere = path.endpoints
    .filter((other) => other.address !== endpoint.address)
    .flatMap((other): readonly ReferenceChain[] => {
      if (!other.tls?.chain) return [];
      const theirs = resolversOf(other, path);
      const isSeparate = theirs.length > 0 && !theirs.some((resolver) => own.includes(resolver));
      return isSeparate && addressFamily(other.address) === addressFamily(endpoint.address)
        ? [{ kind: 'resolver', label: `${theirs.join(', ')}: ${other.address}`, chain: other.tls.chain }]
        : [{ kind: 'address', label: other.address, chain: other.tls.chain }];
    });
  const asked = path.references.flatMap(({ kind, label, outcome: { chain } }): readonly ReferenceChain[] => {
    if (chain === null) return [];
    if (kind === 'server-name') return [{ kind, label, chain }];
    const version = kind === 'tls-1.2' ? 'TLS 1.2' : 'TLS 1.3';
    return label === endpoint.address ? [{ kind: 'tls-version', label: `${version} at ${label}`, chain }] : [];
  });
  return [...asked, ...elsewhere];
}

function resolversOf({ address }: EndpointObservation, { names }: PathObservation): readonly string[] {
  return names
    .filter(({ a, aaaa }) => [a, aaaa].some((reply) => reply.kind === 'answer' && reply.addresses.includes(address)))
    .map(({ resolver }) => resolver);
}
