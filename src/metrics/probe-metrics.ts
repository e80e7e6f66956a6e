import ipaddr from 'ipaddr.js';
import { Gauge, Registry } from 'prom-client';

import type { EpochMs, Millis } from '../core/clock.ts';
import type { DnsAnswer, DnsObservation, EndpointObservation, HttpOutcome, TlsOutcome } from '../core/observation.ts';

/** Stages that the probe did not reach have no results. */
export interface ProbeFacts {
  readonly module: 'dns' | 'tcp' | 'tls' | 'http' | 'smtp';
  readonly success: boolean;
  readonly durationMs: Millis;
  /**
   * The module `dns` queries all resolvers concurrently. Other modules query resolvers one after another until one
   * returns an address.
   */
  readonly names: readonly DnsObservation[];
  /** The connection to the last address that the probe tried. Null if it tried none. */
  readonly endpoint: EndpointObservation | null;
  /** The expiry date of a mail server's verified certificate chain. */
  readonly mailCertificateNotAfter: EpochMs | null;
  /** The earliest expiry date in a genuine chain, from the leaf to the certificate that verified the chain. */
  readonly genuineNotAfter: EpochMs | null;
}

export interface MetricsText {
  readonly contentType: string;
  readonly body: string;
}

/**
 * Names as in blackbox exporter 0.28 (prober/{handler,dns,tcp,http,tls}.go), so that existing dashboards and rules
 * work. `probe_ssl_last_chain_info` is left out, because its labels would contain text from the network.
 */
export async function renderProbe(facts: ProbeFacts): Promise<MetricsText> {
  const registry = new Registry();
  const gauge: MakeGauge = (name, help, labelNames = []) =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  gauge('probe_success', 'Displays whether or not the probe was a success').set(facts.success ? 1 : 0);
  gauge('probe_duration_seconds', 'Returns how long the probe took to complete in seconds').set(
    facts.durationMs / 1000,
  );
  if (facts.module !== 'smtp') addPath(facts, gauge);
  if (facts.module === 'dns') addDns(facts, gauge);
  if (facts.module === 'http') addHttp(facts, gauge);
  if (facts.mailCertificateNotAfter !== null) expiry(gauge).set(facts.mailCertificateNotAfter / 1000);
  addVerified(facts, gauge);
  const tls = facts.endpoint?.tls ?? null;
  if (tls !== null) addTls(tls, gauge);
  return { contentType: registry.contentType, body: await registry.metrics() };
}

type MakeGauge = (name: string, help: string, labelNames?: string[]) => Gauge;

function addPath(facts: ProbeFacts, gauge: MakeGauge): void {
  const { endpoint } = facts;
  gauge('probe_dns_lookup_time_seconds', 'Returns the time taken for probe dns lookup in seconds').set(
    lookupMs(facts) / 1000,
  );
  // If a proxy is used, it chooses the address.
  if (endpoint === null || endpoint.proxy !== null) return;
  gauge('probe_ip_protocol', 'Specifies whether probe ip protocol is IP4 or IP6').set(endpoint.family);
  const help = "Specifies the hash of IP address. It's useful to detect if the IP address changes.";
  gauge('probe_ip_addr_hash', help).set(addressHash(endpoint.address));
}

/**
 * For unverified chains, the blackbox exporter reports the year 1. No rule should use that value, so it is omitted
 * here.
 */
function addVerified({ mailCertificateNotAfter, genuineNotAfter }: ProbeFacts, gauge: MakeGauge): void {
  const end = mailCertificateNotAfter ?? genuineNotAfter;
  if (end === null) return;
  gauge('probe_ssl_last_chain_expiry_timestamp_seconds', 'Returns last SSL chain expiry in timestamp').set(end / 1000);
}

/** The 32-bit FNV-1a hash, as in the blackbox exporter, so that the values are comparable. */
function addressHash(address: string): number {
  const [prime, start] = [0x0100_0193, 0x811c_9dc5];
  return ipaddr
    .process(address.split('%')[0] ?? '')
    .toByteArray()
    .reduce((hash, byte) => Math.imul(hash ^ byte, prime) >>> 0, start);
}

/** Both address families are queried concurrently, so the slower query counts. */
function lookupMs({ module, names }: Pick<ProbeFacts, 'module' | 'names'>): Millis {
  const durations = names.map(({ a, aaaa }) => Math.max(a.durationMs, aaaa.durationMs));
  return module === 'dns' ? Math.max(0, ...durations) : durations.reduce((sum, duration) => sum + duration, 0);
}

function addDns(facts: ProbeFacts, gauge: MakeGauge): void {
  const answers = facts.names
    .flatMap(({ a, aaaa }) => [a, aaaa])
    .filter((reply): reply is DnsAnswer => reply.kind === 'answer');
  gauge('probe_dns_query_succeeded', 'Displays whether or not the query was executed successfully').set(
    answers.length > 0 ? 1 : 0,
  );
  // Both answers contain the same CNAME records.
  const records = answers.flatMap(({ addresses, cnames }) => [...addresses, ...cnames]);
  gauge('probe_dns_answer_rrs', 'Returns number of entries in the answer resource record list').set(
    new Set(records).size,
  );
  addBeside(answers, gauge);
  gauge('probe_dns_duration_seconds', 'Duration of DNS request by phase', ['phase']).set(
    { phase: 'request' },
    lookupMs(facts) / 1000,
  );
}

/** Counts from the answer with the most records. The system resolver does not report these counts. */
function addBeside(answers: readonly DnsAnswer[], gauge: MakeGauge): void {
  const known = answers.flatMap(({ beside }) => beside ?? []);
  if (known.length === 0) return;
  const most = (of: (each: (typeof known)[number]) => number): number => Math.max(...known.map(of));
  gauge('probe_dns_authority_rrs', 'Returns number of entries in the authority resource record list').set(
    most(({ authority }) => authority),
  );
  gauge('probe_dns_additional_rrs', 'Returns number of entries in the additional resource record list').set(
    most(({ additional }) => additional),
  );
}

function addHttp(facts: ProbeFacts, gauge: MakeGauge): void {
  const { endpoint } = facts;
  addResponse(endpoint?.http ?? null, gauge);
  gauge('probe_http_ssl', 'Indicates if SSL was used for the final redirect').set(
    endpoint?.tls?.kind === 'established' ? 1 : 0,
  );
  gauge('probe_http_redirects', 'The number of redirects').set(0);
  const help = 'Duration of http request by phase, summed over all redirects';
  const duration = gauge('probe_http_duration_seconds', help, ['phase']);
  for (const [phase, durationMs] of Object.entries(phasesOf(facts))) duration.set({ phase }, durationMs / 1000);
}

function addResponse(http: HttpOutcome | null, gauge: MakeGauge): void {
  const response = http?.kind === 'response' ? http : null;
  gauge('probe_http_status_code', 'Response HTTP status code').set(response?.status ?? 0);
  if (response?.framing === undefined) return;
  const { version, contentLength, bodyBytes } = response.framing;
  gauge('probe_http_version', 'Returns the version of HTTP of the probe response').set(Number(version));
  // -1 if unknown, as in the blackbox exporter.
  gauge('probe_http_content_length', 'Length of http content response').set(contentLength ?? -1);
  if (bodyBytes !== null)
    gauge('probe_http_uncompressed_body_length', 'Length of uncompressed response body').set(bodyBytes);
}

/**
 * Phases that were not reached are reported as 0 s, as in the blackbox exporter. There is no `transfer`, because the
 * probe does not wait for the response body.
 */
function phasesOf(facts: ProbeFacts): Readonly<Record<'resolve' | 'connect' | 'tls' | 'processing', Millis>> {
  const { tcp, tls, http } = facts.endpoint ?? { tcp: null, tls: null, http: null };
  return {
    resolve: lookupMs(facts),
    connect: tcp?.durationMs ?? 0,
    tls: tls?.durationMs ?? 0,
    processing: http?.durationMs ?? 0,
  };
}

function addTls(tls: TlsOutcome, gauge: MakeGauge): void {
  const expiries = tls.chain?.certificates.map(({ notAfter }) => notAfter) ?? [];
  if (expiries.length > 0) expiry(gauge).set(Math.min(...expiries) / 1000);
  if (tls.kind === 'failed') return;
  // In Go's notation, such as `TLS 1.3`.
  if (tls.protocol !== null)
    gauge('probe_tls_version_info', 'Returns the TLS version used or NaN when unknown', ['version']).set(
      { version: tls.protocol.replace(/^TLSv1$/u, 'TLS 1.0').replace(/^TLSv/u, 'TLS ') },
      1,
    );
  if (tls.cipher !== null)
    gauge('probe_tls_cipher_info', 'Returns the TLS cipher negotiated during handshake', ['cipher']).set(
      { cipher: tls.cipher },
      1,
    );
}

function expiry(gauge: MakeGauge): Gauge {
  return gauge('probe_ssl_earliest_cert_expiry', 'Returns last SSL chain expiry in unixtime');
}
