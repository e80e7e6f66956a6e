/**
 * A program for a separate network namespace with the resolver 127.0.0.1. It checks an endpoint through a proxy whose
 * name is resolved only once. Prints the outcome of its connection as JSON, then exits.
 */
import { ENDPOINT_LIMITS, observeEndpoint } from '../../../src/round/endpoint.ts';
import { createSystemLookup } from '../../../src/network/lookup.ts';
import { createProbeSecureContext } from '../../../src/network/tls/secure-context.ts';
import { parseCertificate } from '../../../src/tls/parse-certificate.ts';
import { createDnsServer, SILENCE, zone } from '../../support/network/dns-server.ts';
import { probeContext } from '../../support/checks/probe-context.ts';

const NAME = 'proxy.example.test';
const answers = zone({ [NAME]: [{ type: 'A', name: NAME, class: 'IN', ttl: 0, data: '203.0.113.25' }] });
const answered = new Set<string>();
await createDnsServer(
  (asked) => {
    if (answered.has(asked.type)) return SILENCE;
    answered.add(asked.type);
    return answers(asked);
  },
  { port: 53 },
);
const started = performance.now();
const { tcp } = await observeEndpoint(
  {
    target: { host: 'license.example.test', port: 443 },
    address: '173.243.138.84',
    serverName: null,
    proxy: { host: NAME, port: 3128, user: null, password: null },
    depth: 'tcp',
    method: 'GET',
    path: '/',
  },
  probeContext(),
  {
    contextFor: () => createProbeSecureContext(),
    parse: parseCertificate,
    recognisePage: () => null,
    readSecret: () => Promise.resolve(''),
    system: createSystemLookup(),
    limits: ENDPOINT_LIMITS,
  },
);
process.stdout.write(JSON.stringify({ tcp, tookMs: performance.now() - started, answered: [...answered] }));
process.exit();
