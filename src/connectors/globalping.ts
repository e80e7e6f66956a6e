import { rootCertificates } from 'node:tls';
import * as z from 'zod';
import type { WatchedConfig } from '../config/schema/watched.ts';
import type { HostPort } from '../core/addresses.ts';
import type { Millis } from '../core/clock.ts';
import { describeFailure } from '../core/observation.ts';
import type { OutsideKind, OutsideMeasurement, OutsideProbe, OutsideResults } from '../core/outside.ts';
import { createSecretFilter, visibleText } from '../core/visible-text.ts';
import { ProbeError } from '../network/failure.ts';
import { type EgressDeps, openDispatcher } from '../network/http/egress.ts';
import {
  type ConnectorContext,
  endpointOf,
  exchangeJson,
  failed,
  secretOf,
  statusText,
} from '../network/rest/json-exchange.ts';
import { deadline, sleep } from '../system/clock.ts';

export type GlobalpingConfig = NonNullable<WatchedConfig['outside']>['globalping'];

export type OutsideContext = ConnectorContext & Pick<EgressDeps, 'proxy' | 'readSecret'>;

export type OutsideOutcome<Kind extends OutsideKind = OutsideKind> =
  | { readonly kind: 'measured'; readonly measurement: OutsideMeasurement<Kind> }
  | OutsideUnavailable;

export interface OutsideUnavailable {
  readonly kind: 'unavailable';
  /** A sentence without a full stop. */
  readonly why: string;
  /** How long the service asks to wait. Null if it did not say. */
  readonly retryAfter: Millis | null;
}

/** The API asks clients to wait this long between two requests for the same result. */
const POLL_PAUSE: Millis = 500;

/** A measurement usually takes a few seconds. */
const MEASUREMENT_LIMIT: Millis = 45_000;

/**
 * Measures the licence server from other networks with Globalping (https://globalping.io; the API is specified in
 * jsdelivr/globalping, public/v1/spec.yaml). Sends the server's public name and port, and the wanted countries. Never
 * rejects.
 */
export async function measureOutside<Kind extends OutsideKind>(
  kind: Kind,
  target: HostPort,
  config: GlobalpingConfig,
  context: OutsideContext,
): Promise<OutsideOutcome<Kind>> {
  const { clock } = context;
  const startedAt = clock.elapsed();
  const at = clock.now();
  using limit = deadline(clock, MEASUREMENT_LIMIT, context.signal);
  try {
    await using api = await openApi(config, { ...context, signal: limit.signal });
    const locations = config.countries.map((country) => ({ country }));
    const { id } = created.parse(await api.post({ target: target.host, ...REQUESTS[kind](target), locations }));
    for (;;) {
      await sleep(clock, POLL_PAUSE, limit.signal);
      const answer = await api.get(id);
      const { status, results } = measurement.parse(answer);
      if (status === 'in-progress') continue;
      return { kind: 'measured', measurement: { at, results: resultsIn(kind, results), answer } };
    }
  } catch (error) {
    const failure = failed(error instanceof z.ZodError ? UNREADABLE : error, startedAt, context);
    return {
      kind: 'unavailable',
      why: visibleText(failure.certificate === 'untrusted' ? replacedAt(config) : describeFailure(failure), 300),
      retryAfter: error instanceof Refusal ? error.retryAfter : null,
    };
  }
}

function replacedAt({ url }: GlobalpingConfig): string {
  return `the certificate of ${endpointOf(url)} does not lead to a public authority, so a device may have replaced it`;
}

interface Api extends AsyncDisposable {
  /** Creates a measurement with the configured number of probes. */
  post(request: object): Promise<unknown>;
  get(id: string): Promise<unknown>;
}

class Refusal extends ProbeError {
  readonly retryAfter: Millis | null;

  constructor(message: string, retryAfter: Millis | null) {
    super('rejected', message);
    this.retryAfter = retryAfter;
  }
}

/**
 * The API's certificate must lead to one of Mozilla's roots that are built into Node. Authorities that were added to
 * this machine are not trusted, because an inspecting firewall could otherwise forge the results.
 */
async function openApi({ url, token, probes }: GlobalpingConfig, context: OutsideContext): Promise<Api> {
  const secret = token === null ? null : await secretOf(token, context);
  const head = {
    headers: secret === null ? {} : { authorization: `Bearer ${secret}` },
    withoutSecrets: createSecretFilter(secret === null ? [] : [secret]),
  };
  const dispatcher = await openDispatcher(url, rootCertificates, context);
  const { origin, pathname } = new URL(url);

  async function exchange(request: Parameters<typeof exchangeJson>[2]): Promise<unknown> {
    const reply = await exchangeJson(dispatcher, origin, request, context);
    if (reply.kind === 'json') return reply.value;
    throw new Refusal(`${endpointOf(url)} responded with ${statusText(reply.status)}`, reply.retryAfter);
  }

  const path = `${pathname === '/' ? '' : pathname}/v1/measurements`;
  return {
    post: (request) => {
      const body = JSON.stringify({ ...request, limit: probes });
      return exchange({ ...head, method: 'POST', path, body, success: 202 });
    },
    get: (id) => exchange({ ...head, method: 'GET', path: `${path}/${id}` }),
    [Symbol.asyncDispose]: () => dispatcher.destroy(),
  };
}

/** TCP packets that each probe sends. One is enough for an answer. */
const PACKETS = 3;

const REQUESTS: Readonly<Record<OutsideKind, (target: HostPort) => object>> = {
  certificate: ({ port }) => ({
    type: 'http',
    measurementOptions: { protocol: 'HTTPS', port, request: { method: 'HEAD', path: '/' } },
  }),
  reach: ({ port }) => ({ type: 'ping', measurementOptions: { protocol: 'TCP', port, packets: PACKETS } }),
  addresses: () => ({ type: 'dns', measurementOptions: { query: { type: 'A' } } }),
};

const UNREADABLE = new ProbeError('protocol', "Cannot read the response: expected a measurement of Globalping's API");

const MAX_TEXT = 120;
const text = z.string().transform((value) => visibleText(value, MAX_TEXT));

/** The ID becomes part of a path. */
const created = z.object({ id: z.string().regex(/^[\w-]{1,64}$/u) });

const probe: z.ZodType<OutsideProbe> = z.object({
  asn: z.int().positive(),
  network: text,
  country: z.string().regex(/^[A-Z]{2}$/u),
});

const MAX_RESULTS = 50;

const measurement = z.object({
  status: z.string(),
  results: z.array(z.object({ probe, result: z.unknown() })).max(MAX_RESULTS),
});

const leaf = z.object({
  tls: z
    .object({
      fingerprint256: z
        .string()
        .regex(/^(?:[0-9A-Fa-f]{2}:){31}[0-9A-Fa-f]{2}$/u)
        .toUpperCase(),
      expiresAt: z.iso.datetime().nullish(),
      issuer: z.object({ CN: text.optional(), O: text.optional() }),
    })
    .transform(({ fingerprint256, expiresAt, issuer }) => ({
      fingerprint: fingerprint256,
      issuer: issuer.CN ?? issuer.O ?? null,
      notAfter: typeof expiresAt === 'string' ? Date.parse(expiresAt) : null,
    })),
});

const MAX_ADDRESSES = 16;

const statistics = z.object({ stats: z.object({ total: z.int().positive(), rcv: z.int().nonnegative() }) });

const answers = z.object({
  answers: z.array(z.object({ type: z.string(), value: text })).max(MAX_ADDRESSES),
});

/** Returns null for a result that proves nothing. */
const READERS: { readonly [Kind in OutsideKind]: (at: OutsideProbe, result: unknown) => OutsideResults[Kind] | null } =
  {
    // After any error of the request, even after the handshake, a probe reports no certificate
    // (jsdelivr/globalping-probe, src/command/handlers/http/undici.ts).
    certificate: (at, result) => {
      const read = leaf.safeParse(result);
      return read.success ? { ...at, ...read.data.tls } : null;
    },
    // A TCP measurement that no packet returned from is finished as well. A failed one did not resolve the name, or
    // was aborted (src/command/handlers/ping/tcp-ping.ts).
    reach: (at, result) => {
      const read = statistics.safeParse(result);
      return read.success ? { ...at, reached: read.data.stats.rcv > 0 } : null;
    },
    addresses: (at, result) => {
      const read = answers.safeParse(result);
      if (!read.success) return null;
      const addresses = read.data.answers.flatMap(({ type, value }) => (type === 'A' ? [value] : []));
      return { ...at, addresses: addresses.toSorted() };
    },
  };

const finished = z.object({ status: z.literal('finished') });

function resultsIn<Kind extends OutsideKind>(
  kind: Kind,
  items: z.output<typeof measurement>['results'],
): readonly OutsideResults[Kind][] {
  return items.flatMap(({ probe: at, result }) => {
    const read = finished.safeParse(result).success ? READERS[kind](at, result) : null;
    return read === null ? [] : [read];
  });
}
