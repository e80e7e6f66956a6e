import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import * as z from 'zod';
import { type Listening, listening } from '../../../src/demo/lab/listening.ts';

/**
 * The parts of Globalping's API that are used, as its specification describes them (jsdelivr/globalping,
 * public/v1/components/schemas.yaml, commit 52c0c192, read on 1 December 2026).
 */
const options = {
  http: z.strictObject({
    protocol: z.enum(['HTTP', 'HTTPS', 'HTTP2']).optional(),
    port: z.int().min(0).max(65_535).optional(),
    request: z
      .strictObject({ method: z.enum(['HEAD', 'GET', 'OPTIONS']).optional(), path: z.string().optional() })
      .optional(),
  }),
  ping: z.strictObject({
    protocol: z.enum(['ICMP', 'TCP']).optional(),
    port: z.int().min(0).max(65_535).optional(),
    packets: z.int().min(1).max(16).optional(),
  }),
  dns: z.strictObject({ query: z.strictObject({ type: z.enum(['A', 'AAAA']).optional() }).optional() }),
};

const common = {
  target: z.string(),
  limit: z.int().min(1).max(500),
  locations: z.array(z.strictObject({ country: z.string().regex(/^[A-Z]{2}$/u) })),
};

export const measurementRequest = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('http'), ...common, measurementOptions: options.http }),
  z.strictObject({ type: z.literal('ping'), ...common, measurementOptions: options.ping }),
  z.strictObject({ type: z.literal('dns'), ...common, measurementOptions: options.dns }),
]);

export type MeasurementRequest = z.output<typeof measurementRequest>;

const hex = z.string().regex(/^[0-9A-F]{2}(?::[0-9A-F]{2})+$/u);

const finished = { status: z.literal('finished'), rawOutput: z.string() };

const httpResult = z.looseObject({
  ...finished,
  rawHeaders: z.string(),
  rawBody: z.string().nullable(),
  truncated: z.boolean(),
  headers: z.record(z.string(), z.union([z.string(), z.array(z.string())])),
  resolvedAddress: z.string().nullable(),
  statusCode: z.int(),
  statusCodeName: z.string(),
  timings: z.looseObject({ total: z.int().nullable(), tcp: z.int().nullable(), tls: z.int().nullable() }),
  tls: z
    .looseObject({
      authorized: z.boolean(),
      error: z.string().optional(),
      protocol: z.string(),
      cipherName: z.string(),
      createdAt: z.iso.datetime(),
      expiresAt: z.iso.datetime(),
      subject: z.looseObject({ CN: z.string().optional(), alt: z.string().optional() }),
      issuer: z.looseObject({ C: z.string().optional(), O: z.string().optional(), CN: z.string().optional() }),
      keyType: z.enum(['RSA', 'EC']).nullable(),
      keyBits: z.number().nullable(),
      serialNumber: hex,
      fingerprint256: hex,
      publicKey: hex.nullable(),
    })
    .nullable(),
});

const pingResult = z.looseObject({
  ...finished,
  resolvedAddress: z.string().nullable(),
  resolvedHostname: z.string().nullable(),
  stats: z.looseObject({
    min: z.number().nullable(),
    avg: z.number().nullable(),
    max: z.number().nullable(),
    total: z.int(),
    rcv: z.int(),
    drop: z.int(),
    loss: z.number(),
  }),
  timings: z.array(z.looseObject({ rtt: z.number() })),
});

const dnsResult = z.looseObject({
  ...finished,
  statusCode: z.int(),
  statusCodeName: z.string(),
  resolver: z.string().nullable(),
  answers: z.array(
    z.looseObject({ name: z.string(), type: z.string(), ttl: z.int(), class: z.string(), value: z.string() }),
  ),
  timings: z.looseObject({ total: z.number() }),
});

const unfinished = z.looseObject({ status: z.enum(['in-progress', 'failed', 'offline']), rawOutput: z.string() });

const probe = z.looseObject({
  continent: z.string(),
  region: z.string(),
  country: z.string(),
  state: z.string().nullable(),
  city: z.string(),
  asn: z.int(),
  network: z.string(),
  latitude: z.number(),
  longitude: z.number(),
  tags: z.array(z.string()),
  resolvers: z.array(z.string()),
});

export const measurementResponse = z.looseObject({
  id: z.string(),
  type: z.enum(['http', 'ping', 'dns']),
  target: z.string(),
  status: z.enum(['in-progress', 'finished']),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  probesCount: z.int(),
  results: z.array(z.strictObject({ probe, result: z.union([httpResult, pingResult, dnsResult, unfinished]) })),
});

export type TestResult = z.input<typeof measurementResponse>['results'][number]['result'];

const PLACES = [
  [3320, 'Deutsche Telekom AG', 'DE', 'Frankfurt', 'EU'],
  [7922, 'Comcast Cable Communications, LLC', 'US', 'Denver', 'NA'],
  [24_940, 'Hetzner Online GmbH', 'DE', 'Falkenstein', 'EU'],
  [14_061, 'DigitalOcean, LLC', 'US', 'New York', 'NA'],
  [3303, 'Swisscom (Schweiz) AG', 'CH', 'Bern', 'EU'],
] as const;

/** Returns a result item of the probe with this index. The first five probes are in five networks. */
function resultItem(index: number, result: TestResult): z.input<typeof measurementResponse>['results'][number] {
  const [asn, network, country, city, continent] = PLACES[index % PLACES.length] ?? PLACES[0];
  const place = { continent, region: 'somewhere', country, state: null, city, latitude: 50.1, longitude: 8.7 };
  return { probe: { ...place, asn, network, tags: ['eyeball-network'], resolvers: ['private'] }, result };
}

interface PresentedLeaf {
  readonly fingerprint: string;
  readonly issuer: string;
}

/** A server that answered with a certificate, trusted by the probe or not. */
export function presents({ fingerprint, issuer }: PresentedLeaf): TestResult {
  return {
    status: 'finished',
    rawOutput: 'HTTP/1.1 200',
    rawHeaders: 'server: xx',
    rawBody: null,
    truncated: false,
    headers: { server: 'xx' },
    resolvedAddress: '173.243.138.84',
    statusCode: 200,
    statusCodeName: 'OK',
    timings: { total: 90, dns: 5, tcp: 20, tls: 30, firstByte: 30, download: 0 },
    tls: {
      authorized: false,
      error: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      protocol: 'TLSv1.3',
      cipherName: 'TLS_AES_256_GCM_SHA384',
      createdAt: '2026-01-01T00:00:00.000Z',
      expiresAt: '2027-01-01T00:00:00.000Z',
      subject: { CN: 'fortitokenmobile.fortinet.com' },
      issuer: { O: 'Fortinet', CN: issuer },
      keyType: 'RSA',
      keyBits: 2048,
      serialNumber: '07:2D:BB:27',
      fingerprint256: fingerprint,
      publicKey: null,
    },
  };
}

export function reaches(count: 0 | 3): TestResult {
  const rtt = count === 0 ? null : 20.5;
  return {
    status: 'finished',
    rawOutput: 'PING',
    resolvedAddress: '173.243.138.84',
    resolvedHostname: 'fortitokenmobile.fortinet.com',
    stats: { min: rtt, avg: rtt, max: rtt, total: 3, rcv: count, drop: 3 - count, loss: count === 0 ? 100 : 0 },
    timings: rtt === null ? [] : [{ rtt }, { rtt }, { rtt }],
  };
}

export function resolves(...addresses: readonly string[]): TestResult {
  return {
    status: 'finished',
    rawOutput: ';; ANSWER',
    statusCode: 0,
    statusCodeName: 'NOERROR',
    resolver: 'private',
    answers: addresses.map((value) => ({ name: 'name.', type: 'A', ttl: 60, class: 'IN', value })),
    timings: { total: 12 },
  };
}

/** After any error of a request, a probe reports no certificate, address or timing. */
export const FAILED: TestResult = { status: 'failed', rawOutput: 'socket hang up' };
export const OFFLINE: TestResult = { status: 'offline', rawOutput: '' };
const RUNNING: TestResult = { status: 'in-progress', rawOutput: '' };

export interface GlobalpingBench extends AsyncDisposable {
  readonly url: string;
  /** The valid requests for measurements, in order. */
  readonly requests: readonly MeasurementRequest[];
  /** The number of requests for a result. */
  polls(): number;
  /** Sets the probes' results for each type of measurement. */
  seen(results: Partial<Record<MeasurementRequest['type'], readonly TestResult[]>>): void;
  /** Keeps all measurements in progress until the returned function is called. */
  hold(): () => void;
  /** Answers all requests in another way, such as with an error. Null ends this. */
  answer(how: ((request: IncomingMessage, response: ServerResponse) => void) | null): void;
}

/** Simulates Globalping's API. A measurement is in progress when its result is requested for the first time. */
export async function createGlobalping(): Promise<GlobalpingBench> {
  const requests: MeasurementRequest[] = [];
  let results: Partial<Record<MeasurementRequest['type'], readonly TestResult[]>> = {};
  let other: ((request: IncomingMessage, response: ServerResponse) => void) | null = null;
  const asked: number[] = [];
  let isHeld = false;

  function send(response: ServerResponse, status: number, body: unknown): void {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }

  async function create(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const read = measurementRequest.safeParse(JSON.parse((await request.toArray()).join('')));
    if (!read.success) {
      send(response, 400, { error: { type: 'validation_error', message: z.prettifyError(read.error) } });
      return;
    }
    const index = requests.push(read.data) - 1;
    asked[index] = 0;
    send(response, 202, { id: `measurement${String(index)}`, probesCount: (results[read.data.type] ?? []).length });
  }

  function show(index: number, response: ServerResponse): void {
    const request = requests[index];
    if (request === undefined) {
      send(response, 404, { error: { type: 'not_found', message: "Couldn't find the requested item." } });
      return;
    }
    const isRunning = isHeld || asked[index] === 0;
    asked[index] = (asked[index] ?? 0) + 1;
    const seen = results[request.type] ?? [];
    const body = {
      id: `measurement${String(index)}`,
      type: request.type,
      target: request.target,
      status: isRunning ? 'in-progress' : 'finished',
      createdAt: '2026-12-01T10:00:00.000Z',
      updatedAt: '2026-12-01T10:00:01.000Z',
      probesCount: seen.length,
      results: seen.map((result, probeIndex) => resultItem(probeIndex, isRunning ? RUNNING : result)),
    };
    send(response, 200, measurementResponse.parse(body));
  }

  const server: Listening = await listening(
    createServer((request, response) => {
      if (other !== null) other(request, response);
      else if (request.method === 'POST' && request.url === '/v1/measurements') void create(request, response);
      else show(Number(/^\/v1\/measurements\/measurement(\d+)$/u.exec(request.url ?? '')?.[1] ?? '-1'), response);
    }),
  );
  return {
    url: `http://127.0.0.1:${String(server.port)}`,
    requests,
    polls: () => asked.reduce((sum, count) => sum + count, 0),
    seen: (given) => {
      results = given;
    },
    hold: () => {
      isHeld = true;
      return () => {
        isHeld = false;
      };
    },
    answer: (how) => {
      other = how;
    },
    [Symbol.asyncDispose]: () => server.close(),
  };
}
