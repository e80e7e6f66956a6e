import { addressInAny } from '../../core/addresses.ts';
import type { DnsObservation } from '../../core/observation.ts';
import type { PathFacts, PathObservation } from '../../core/round.ts';
import type { GaugeDefinition, Reading, SourceMetrics } from '../source-metrics.ts';
import type { PathSettings } from './settings.ts';

const NOT_AFTER: GaugeDefinition = {
  name: 'ftm_tls_certificate_not_after_timestamp_seconds',
  help: 'End of validity of the certificate that a target showed last',
  labels: ['target'],
  stays: true,
};

const TTL: GaugeDefinition = {
  name: 'ftm_dns_answer_ttl_seconds',
  help: 'Time to live of the answer for the licence server',
  labels: ['resolver'],
};

const EXPECTED: GaugeDefinition = {
  name: 'ftm_dns_answers_expected',
  help: '1 when every address that a resolver gave for the licence server is an expected one',
  labels: ['resolver'],
};

export const PATH_METRICS: SourceMetrics<PathFacts, PathSettings> = {
  gauges: [NOT_AFTER, TTL, EXPECTED],
  readings: ({ licenseServer, services }, settings) => [
    ...[licenseServer, ...services].flatMap(endsOfValidity),
    ...licenseServer.names.flatMap((seen) => answerReadings(seen, settings.licenseServer.expectedAddresses)),
  ],
};

function endsOfValidity({ subject: target, endpoints }: PathObservation): readonly Reading[] {
  const ends = endpoints
    .flatMap(({ tls }) => tls?.chain?.certificates.slice(0, 1) ?? [])
    .map(({ notAfter }) => notAfter);
  return ends.length === 0 ? [] : [{ gauge: NOT_AFTER, labels: { target }, value: Math.min(...ends) / 1000 }];
}

function answerReadings({ resolver, a, aaaa }: DnsObservation, expected: readonly string[]): readonly Reading[] {
  const answers = [a, aaaa].filter((reply) => reply.kind === 'answer');
  const ttls = answers.map(({ ttlSeconds }) => ttlSeconds).filter((ttl) => ttl !== null);
  const addresses = answers.flatMap((answer) => answer.addresses);
  const isExpected = expected.length === 0 || addresses.every((address) => addressInAny(address, expected));
  const labels = { resolver };
  return [
    ...(ttls.length === 0 ? [] : [{ gauge: TTL, labels, value: Math.min(...ttls) }]),
    ...(addresses.length === 0 ? [] : [{ gauge: EXPECTED, labels, value: isExpected ? 1 : 0 }]),
  ];
}
