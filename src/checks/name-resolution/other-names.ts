import { addressInAny } from '../../core/addresses.ts';
import { nameList } from '../../core/visible-text.ts';
import type { DnsObservation, ExtendedError, FailureReason } from '../../core/observation.ts';
import type { RoundObservations } from '../../core/round.ts';
import type { Finding, CauseWords } from '../../engine/model.ts';
import { withMoreSaid } from '../../engine/words.ts';
import { areRelatedHosts } from '../../tls/extensions.ts';
import { NAME_CAUSES, type NameCause, type NameKind } from './causes.ts';

export interface OtherNames {
  /** Answers for unrelated names come first. */
  readonly others: readonly DnsObservation[];
  /** Answer for the target's name with a trailing dot, which bypasses the hosts file and the search list. */
  readonly absolute: DnsObservation | null;
  /** The target's addresses to which unrelated names resolve as well. */
  readonly shared: readonly string[];
}

export const NO_OTHER_NAMES: OtherNames = { others: [], absolute: null, shared: [] };

/**
 * @param isGenuine reports whether an address presented the genuine certificate. Other names can legitimately resolve
 * to such an address.
 */
export function otherNamesOf(
  { path, controls }: Pick<RoundObservations, 'path' | 'controls'>,
  expectedAddresses: readonly string[],
  isGenuine: (address: string) => boolean,
): OtherNames {
  const { host, names } = path.licenseServer;
  const all = [...(path.otherNames ?? []), ...controls.flatMap((control) => control.names)];
  const isRelated = ({ name }: DnsObservation): boolean => areRelatedHosts(name, host);
  const unrelated = all.filter((seen) => !isRelated(seen));
  const absolute = all.find(({ name }) => name === `${host}.`) ?? null;
  const theirs = new Set(unrelated.flatMap(addressesOf));
  return {
    others: [...unrelated, ...all.filter((seen) => isRelated(seen) && seen !== absolute && seen.name !== host)],
    absolute,
    shared: [...new Set(names.flatMap(addressesOf))].filter(
      (address) => theirs.has(address) && !addressInAny(address, expectedAddresses) && !isGenuine(address),
    ),
  };
}

/** Observations at an address to which unrelated names resolve prove nothing about the target. */
export function withoutShared(round: RoundObservations, { shared }: OtherNames): RoundObservations {
  if (shared.length === 0) return round;
  const isOwn = ({ address }: { readonly address: string }): boolean => !shared.includes(address);
  const { licenseServer, burst } = round.path;
  const { closer, ...seen } = licenseServer;
  const endpoints = licenseServer.endpoints.filter(isOwn);
  return {
    ...round,
    path: {
      ...round.path,
      licenseServer: {
        ...seen,
        endpoints,
        references: endpoints.length === 0 ? [] : licenseServer.references,
        ...(closer === undefined || !isOwn(closer) ? {} : { closer }),
      },
      burst: burst.filter(isOwn),
    },
    controls: round.controls.map((control) => ({
      ...control,
      endpoints: control.endpoints.map((endpoint) =>
        isOwn(endpoint) ? endpoint : { ...endpoint, tls: null, http: null },
      ),
    })),
  };
}

function addressesOf({ a, aaaa }: DnsObservation): readonly string[] {
  return [a, aaaa].flatMap((reply) => (reply.kind === 'answer' ? reply.addresses : []));
}

interface Explanation {
  readonly kind?: NameKind;
  readonly more?: string;
  readonly quote?: string;
  /** Set to `suspected` if other machines may not be affected. */
  readonly confidence?: 'suspected';
  readonly facts?: { readonly address: string };
}

/** The resolver either reports the reason itself, or its answers for other names reveal it. */
export function explainAnswer(
  finding: Finding<NameCause>,
  seen: DnsObservation,
  names: OtherNames,
): Finding<NameCause> {
  if (finding.suggests === null || finding.kind !== undefined) return finding;
  const { kind, more, quote, confidence, facts } = explanationOf(finding, seen, names);
  const { variants = [] }: CauseWords = NAME_CAUSES[finding.suggests];
  return {
    ...(more === undefined ? finding : withMoreSaid(finding, '; ', more)),
    ...(kind !== undefined && variants.some(({ when }) => when.kind === kind) ? { kind } : {}),
    ...(quote === undefined ? {} : { quote }),
    ...(confidence === undefined ? {} : { confidence }),
    ...(facts === undefined ? {} : { facts: { ...finding.facts, ...facts } }),
  };
}

function explanationOf(finding: Finding<NameCause>, seen: DnsObservation, names: OtherNames): Explanation {
  const own = names.others.filter(({ resolver }) => resolver === seen.resolver);
  return (
    ofThisMachine(finding, seen, names) ??
    ofSharedAddress(seen, names) ??
    errorsOf(seen) ??
    ofEncryption(finding, seen) ??
    comparison(seen, own)
  );
}

/** FortiAuthenticator uses neither this machine's hosts file nor its search list (`ndots`). */
function ofThisMachine(
  { suggests }: Finding<NameCause>,
  seen: DnsObservation,
  { absolute }: OtherNames,
): Explanation | null {
  const isAddress = suggests === 'answer-hijacked' || suggests === 'answer-unexpected';
  if (!isAddress || absolute?.resolver !== seen.resolver || !isAnswered(absolute)) return null;
  const inDns = addressesOf(absolute);
  if (addressesOf(seen).some((address) => inDns.includes(address))) return null;
  const answer = inDns.length === 0 ? 'is not found' : `resolves to ${nameList(inDns, 2)}`;
  return { kind: 'local-name', more: `with a trailing dot, the name ${answer}`, confidence: 'suspected' };
}

function ofSharedAddress(seen: DnsObservation, { others, shared }: OtherNames): Explanation | null {
  const address = addressesOf(seen).find((given) => shared.includes(given));
  const also = others.find((other) => address !== undefined && addressesOf(other).includes(address));
  if (address === undefined || also === undefined) return null;
  return { kind: 'shared-address', more: `${also.name} also has the address ${address}`, facts: { address } };
}

/** https://www.iana.org/assignments/dns-parameters/dns-parameters.xhtml#extended-dns-error-codes */
const EXTENDED_ERRORS: readonly string[] = [
  'Other Error',
  'Unsupported DNSKEY Algorithm',
  'Unsupported DS Digest Type',
  'Stale Answer',
  'Forged Answer',
  'DNSSEC Indeterminate',
  'DNSSEC Bogus',
  'Signature Expired',
  'Signature Not Yet Valid',
  'DNSKEY Missing',
  'RRSIGs Missing',
  'No Zone Key Bit Set',
  'NSEC Missing',
  'Cached Error',
  'Not Ready',
  'Blocked',
  'Censored',
  'Filtered',
  'Prohibited',
  'Stale NXDOMAIN Answer',
  'Not Authoritative',
  'Not Supported',
  'No Reachable Authority',
  'Network Error',
  'Invalid Data',
];

/** The resolver says that it filters the name. */
const FILTERING: readonly string[] = ['Forged Answer', 'Blocked', 'Censored', 'Filtered'];

/** Prefers the reason that has its own remedy. */
function errorsOf({ a, aaaa }: DnsObservation): Pick<Explanation, 'kind' | 'more' | 'quote'> | null {
  const named = [a, aaaa]
    .flatMap((reply) => (reply.kind === 'answer' ? (reply.extendedErrors ?? []) : []))
    .map((error) => ({ error, name: EXTENDED_ERRORS[error.code] ?? `number ${String(error.code)}` }));
  const found = named.find(({ name }) => FILTERING.includes(name)) ?? named[0];
  if (found === undefined) return null;
  const { error, name } = found;
  return {
    more: `the resolver gives the reason "${name}"`,
    quote: quoteOf(error, name),
    ...(FILTERING.includes(name) ? { kind: 'filtered' } : {}),
  };
}

function quoteOf({ code, text }: ExtendedError, name: string): string {
  return `Extended DNS error ${String(code)} (${name})${text === '' ? '' : `: ${text}`}`;
}

/** Connection failures that a blocked port can cause. */
const SHUT: readonly FailureReason[] = ['timeout', 'refused', 'reset', 'closed'];

/** DNS over TLS and DNS over HTTPS do not use port 53. */
function ofEncryption({ suggests }: Finding<NameCause>, { resolver, a, aaaa }: DnsObservation): Explanation | null {
  if (suggests !== 'resolver-unreachable' || !/^(?:tls|https):/u.test(resolver)) return null;
  const reasons = [a, aaaa].flatMap((reply) => (reply.kind === 'failed' ? [reply.reason] : []));
  if (reasons.includes('tls')) return { kind: 'untrusted' };
  return reasons.some((reason) => SHUT.includes(reason)) ? { kind: 'encrypted' } : null;
}

/** Prefers an unrelated name, because a filter can block a whole domain. */
function comparison({ name }: DnsObservation, own: readonly DnsObservation[]): Pick<Explanation, 'more'> {
  const answered = own.find(hasAddress);
  if (answered !== undefined) return { more: `the resolver answers for ${answered.name}` };
  const other = own.find((seen) => !areRelatedHosts(seen.name, name));
  return other === undefined ? {} : { more: `the resolver has no address for ${other.name} either` };
}

function hasAddress(seen: DnsObservation): boolean {
  return addressesOf(seen).length > 0;
}

function isAnswered({ a, aaaa }: DnsObservation): boolean {
  return a.kind === 'answer' || aaaa.kind === 'answer';
}
