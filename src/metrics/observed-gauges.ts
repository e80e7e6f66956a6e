import { Gauge, type Registry } from 'prom-client';
import type { WatchedConfig } from '../config/schema/watched.ts';
import type { Picture, UnitObservation } from '../connectors/picture.ts';
import { addressInAny, singleAddresses, translatedFrom } from '../core/addresses.ts';
import { TOKEN_STATUSES } from '../core/license/appliance.ts';
import { valueOf } from '../core/license/resource.ts';
import type { DnsObservation } from '../core/observation.ts';
import type { PathObservation, RoundObservations } from '../core/round.ts';

/**
 * When a value is no longer reported, its series is removed. An outdated value would hide that the current value is
 * unknown.
 */
export class ObservedGauges {
  readonly #notAfter: Gauge;
  readonly #ttl: Gauge;
  readonly #expected: Gauge;
  readonly #tokens: Gauge;
  readonly #locked: Gauge;
  readonly #licensed: Gauge;
  readonly #readable: Gauge;

  constructor(registry: Registry) {
    const gauge = (name: string, help: string, labelNames: string[]): Gauge =>
      new Gauge({ registers: [registry], name, help, labelNames });
    this.#notAfter = gauge(
      'ftm_tls_certificate_not_after_timestamp_seconds',
      'Expiry date of the certificate that a target presented most recently',
      ['target'],
    );
    this.#ttl = gauge('ftm_dns_answer_ttl_seconds', "Time to live of the DNS answer for the licence server's name", [
      'resolver',
    ]);
    this.#expected = gauge(
      'ftm_dns_answers_expected',
      '1 if a resolver returned only expected addresses for the licence server',
      ['resolver'],
    );
    this.#tokens = gauge('ftm_tokens', 'FortiToken Mobile tokens on an appliance', ['appliance', 'status']);
    this.#locked = gauge('ftm_tokens_locked', 'Locked FortiToken Mobile tokens on an appliance, in any status', [
      'appliance',
    ]);
    this.#licensed = gauge('ftm_tokens_licensed', "FortiToken Mobile tokens that an appliance's licence allows", [
      'appliance',
    ]);
    this.#readable = gauge(
      'ftm_peer_readable',
      '1 if the status of another agent at the site could be read, otherwise 0',
      ['peer'],
    );
  }

  round({ path }: Pick<RoundObservations, 'path'>, { licenseServer }: Pick<WatchedConfig, 'licenseServer'>): void {
    // The expiry date of a certificate is kept until another certificate is received.
    for (const seen of [path.licenseServer, ...path.services]) this.#endOfValidity(seen);
    this.#ttl.reset();
    this.#expected.reset();
    for (const seen of path.licenseServer.names) this.#answers(seen, licenseServer.expectedAddresses);
  }

  picture({ appliances, peers }: Pick<Picture, 'appliances' | 'peers'>): void {
    for (const gauge of [this.#tokens, this.#locked, this.#licensed, this.#readable]) gauge.reset();
    for (const unit of appliances) this.#unit(unit);
    for (const { peer, kind } of peers) this.#readable.set({ peer }, kind === 'seen' ? 1 : 0);
  }

  forget(): void {
    for (const gauge of [this.#notAfter, this.#ttl, this.#expected]) gauge.reset();
    this.picture({ appliances: [], peers: [] });
  }

  #endOfValidity({ subject: target, endpoints }: PathObservation): void {
    const leaves = endpoints.flatMap(({ tls }) => tls?.chain?.certificates.slice(0, 1) ?? []);
    setTo(this.#notAfter, { target }, least(leaves.map(({ notAfter }) => notAfter / 1000)));
  }

  #answers({ resolver, a, aaaa }: DnsObservation, expected: readonly string[]): void {
    const answers = [a, aaaa].filter((reply) => reply.kind === 'answer');
    const addresses = answers.flatMap((answer) => answer.addresses);
    const sameName = [...addresses, ...singleAddresses(expected)];
    const isExpected =
      expected.length === 0 ||
      addresses.every((address) =>
        [address, translatedFrom(address, sameName) ?? address].some((each) => addressInAny(each, expected)),
      );
    const ttls = answers.map(({ ttlSeconds }) => ttlSeconds).filter((ttl) => ttl !== null);
    setTo(this.#ttl, { resolver }, least(ttls));
    setTo(this.#expected, { resolver }, addresses.length === 0 ? null : Number(isExpected));
  }

  #unit({ config: { name: appliance }, rest }: UnitObservation): void {
    if (rest?.kind !== 'ok') return;
    const tokens = valueOf(rest.tokens);
    for (const status of TOKEN_STATUSES) setTo(this.#tokens, { appliance, status }, tokens?.byStatus[status] ?? null);
    setTo(this.#locked, { appliance }, tokens?.locked ?? null);
    setTo(this.#licensed, { appliance }, valueOf(rest.licensed)?.total ?? null);
  }
}

function setTo(gauge: Gauge, labels: Record<string, string>, value: number | null): void {
  if (value !== null) gauge.set(labels, value);
}

function least(values: readonly number[]): number | null {
  return values.length === 0 ? null : Math.min(...values);
}
