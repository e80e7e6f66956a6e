import { captureToJson } from '../capture/judge-capture.ts';
import type { Plain } from '../config/print.ts';
import { type DiagnosisJson, diagnosisToJson } from '../checks/diagnosis-json.ts';
import type { CapturedChain } from '../core/certificate.ts';
import type { EndpointObservation, MailObservation, TlsOutcome } from '../core/observation.ts';
import type { PathObservation, RoundObservations } from '../core/round.ts';
import { isoTime, isoTimeOrNull } from '../core/time-text.ts';
import { type LogExcerpts, logExcerpts, type MaskedHistory, type Timeline, timelineToJson } from './timeline.ts';
import { createMask, type Mask, type MaskTally } from '../text/mask.ts';
import { createSecretRemover, maskedDiagnosis, type ReportSources, type Versions } from './report-contents.ts';
import { type SeenChain, seenChains, type SeenIssuer, seenIssuers } from './seen.ts';

/**
 * The JSON object in `report.json`. The field names are part of the API. Times are in ISO 8601 format in UTC, and
 * durations are in milliseconds.
 */
export interface ReportData {
  readonly version: 1;
  readonly site: string;
  readonly writtenAt: string;
  /** If `since` is null, the report covers all stored data. */
  readonly period: { readonly since: string | null; readonly until: string };
  readonly versions: Versions;
  /** As in `check --json`. */
  readonly check: DiagnosisJson;
  readonly round: unknown;
  /** What other networks see of the licence server. Omitted if they were not asked. */
  readonly outside?: unknown;
  /** As in `capture --json`. Omitted if the report contains no captures. */
  readonly capture?: unknown;
  readonly chains: readonly Omit<SeenChain, 'pem'>[];
  readonly issuers: readonly SeenIssuer[];
  readonly timeline: Timeline;
  readonly logExcerpts: LogExcerpts;
  readonly configuration: Readonly<Record<string, Plain>>;
  /** The number of masked values of each kind. Secrets in a peer's response are not counted. */
  readonly masked: MaskTally;
}

/** Returns a mask for the account names and secrets in the configuration. */
export function maskFor({ configuration, secrets }: Pick<ReportSources, 'configuration' | 'secrets'>): Mask {
  return createMask({
    accounts: [...new Set(accountsOf('', configuration))],
    withoutSecrets: createSecretRemover(secrets),
  });
}

export function reportData(sources: ReportSources, history: MaskedHistory, mask: Mask): ReportData {
  const { examination, storedHistory, period } = sources;
  const outside = examination.targets[0]?.surroundings.outside;
  const content = {
    check: diagnosisToJson(maskedDiagnosis(examination.diagnosis, mask)),
    round: maskedData(roundToJson(examination.observations), mask),
    ...(outside === undefined ? {} : { outside: maskedData(outside, mask) }),
    ...(sources.capture === null ? {} : { capture: maskedData(captureToJson(sources.capture), mask) }),
    chains: seenChains(examination).map((chain) => chainToJson(chain, mask)),
    issuers: seenIssuers(examination, storedHistory),
    timeline: timelineToJson(history),
    logExcerpts: logExcerpts(sources.logMemory, { mask, period }),
    configuration: withoutPeople('', sources.configuration, mask),
  };
  return {
    version: 1,
    site: sources.site,
    writtenAt: isoTime(sources.writtenAt),
    period: { since: isoTimeOrNull(period.since), until: isoTime(period.until ?? sources.writtenAt) },
    versions: sources.versions,
    ...content,
    masked: mask.tally(),
  };
}

/** Keys are not masked, because they never contain text from other hosts or logs. */
function maskedData(value: unknown, mask: Mask): unknown {
  if (typeof value === 'string') return mask.line(value);
  if (Array.isArray(value)) return value.map((item) => maskedData(item, mask));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, maskedData(item, mask)]));
}

/** Names in certificates are kept, because they are evidence. */
function chainToJson(
  { file, target, way, judgement, certificates, dropped }: SeenChain,
  mask: Mask,
): Omit<SeenChain, 'pem'> {
  const masked = judgement === null ? null : { ...judgement, summary: mask.line(judgement.summary) };
  return { file, target, way, judgement: masked, certificates, dropped };
}

/** Internal fields are removed, and the fields in `path` are moved to the top level. */
function roundToJson({ path, ...facts }: RoundObservations): object {
  const { clockBase: _, ...round } = facts;
  return {
    ...round,
    ...path,
    startedAt: isoTime(round.startedAt),
    licenseServer: pathToJson(path.licenseServer),
    burst: path.burst.map(endpointToJson),
    services: path.services.map(pathToJson),
    controls: round.controls.map(pathToJson),
    mail: round.mail.map(mailToJson),
    knownAddresses: path.knownAddresses.map(endpointToJson),
  };
}

function pathToJson(path: PathObservation): object {
  return {
    ...path,
    endpoints: path.endpoints.map(endpointToJson),
    references: path.references.map((reference) => ({ ...reference, outcome: tlsToJson(reference.outcome) })),
  };
}

function endpointToJson(endpoint: EndpointObservation): object {
  return { ...endpoint, tls: endpoint.tls === null ? null : tlsToJson(endpoint.tls) };
}

function mailToJson({ tls, newRoots, ...seen }: MailObservation): object {
  return {
    ...seen,
    ...(tls === undefined
      ? {}
      : { tls: { ...tls, chain: fingerprintsOf(tls.chain), root: tls.root?.fingerprint ?? null } }),
    ...(newRoots === undefined ? {} : { newRoots: newRoots.map(({ root }) => root.fingerprint) }),
  };
}

/** Chains are replaced with certificate fingerprints, which refer to entries in `chains`. */
function tlsToJson(outcome: TlsOutcome): object {
  return { ...outcome, chain: outcome.chain === null ? null : fingerprintsOf(outcome.chain) };
}

function fingerprintsOf({ certificates }: CapturedChain): readonly string[] {
  return certificates.map(({ fingerprint }) => fingerprint);
}

/**
 * Account names are removed, because they are half of the login credentials and the report's readers don't need them.
 */
const ACCOUNT_KEYS: ReadonlySet<string> = new Set(['user', 'accountId']);

type Section = Readonly<Record<string, Plain>>;

function accountsOf(key: string, value: Plain): readonly string[] {
  if (value === null || typeof value !== 'object') return [];
  if (isList(value)) return value.flatMap((item) => accountsOf(key, item));
  return Object.entries(value).flatMap(([name, inner]) =>
    isAccount(key, name) && typeof inner === 'string' ? [inner] : accountsOf(name, inner),
  );
}

/** @param section in the section `users`, `name` is the login name */
function isAccount(section: string, key: string): boolean {
  return ACCOUNT_KEYS.has(key) || (section === 'users' && key === 'name');
}

function withoutPeople(key: string, section: Section, mask: Mask): Section {
  return Object.fromEntries(
    Object.entries(section).map(([name, value]) => [
      name,
      isAccount(key, name) ? '<user>' : without(name, value, mask),
    ]),
  );
}

function without(key: string, value: Plain, mask: Mask): Plain {
  if (typeof value === 'string') return mask.mailAddresses(value);
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return value;
  return isList(value) ? value.map((item) => without(key, item, mask)) : withoutPeople(key, value, mask);
}

function isList(value: Plain): value is readonly Plain[] {
  return Array.isArray(value);
}
