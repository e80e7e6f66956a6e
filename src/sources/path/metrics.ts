import { addressInAny, singleAddresses, translatedFrom } from '../../core/addresses.ts';
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
    ...[licenseServer, ...services].map(endOfValidity),
    ...licenseServer.names.flatMap((seen) => answerReadings(seen, settings.licenseServer.expectedAddresses)),
  ],
};

function endOfValidity({ subject: target, endpoints }: PathObservation): Reading {
  const leaves = endpoints.flatMap(({ tls }) => tls?.chain?.certificates.slice(0, 1) ?? []);
  return { gauge: NOT_AFTER, labels: { target }, value: least(leaves.map(({ notAfter }) => notAfter / 1000)) };
}

function answerReadings({ resolver, a, aaaa }: DnsObservation, expected: readonly string[]): readonly Reading[] {
  const answers = [a, aaaa].filter((reply) => reply.kind === 'answer');
  const addresses = answers.flatMap((answer) => answer.addresses);
  const isExpected =
    expected.length === 0 ||
    addresses.every((address) =>
      [address, translatedFrom(address, [...addresses, ...singleAddresses(expected)]) ?? address].some((each) =>
        addressInAny(each, expected),
      ),
    );
  const ttls = answers.map(({ ttlSeconds }) => ttlSeconds).filter((ttl) => ttl !== null);
  return [
    { gauge: TTL, labels: { resolver }, value: least(ttls) },
    { gauge: EXPECTED, labels: { resolver }, value: addresses.length === 0 ? null : Number(isExpected) },
  ];
}

function least(values: readonly number[]): number | null {
  return values.length === 0 ? null : Math.min(...values);
}
