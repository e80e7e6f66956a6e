import { encode } from 'dns-packet';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCheckBench, HOST, loopbackZone } from '../../support/process/check-bench.ts';
import type { CheckBench } from '../../support/process/check-bench.ts';
import { conclusionOf, evidenceOf, notReady, preconditionOf } from '../../support/process/check-result.ts';
import { createDnsServer, reply } from '../../support/network/dns-server.ts';
import type { DnsAsked, DnsHandler, DnsReaction } from '../../support/network/dns-server.ts';
import type { Peer } from '../../support/network/tls-peer.ts';

/** The preconditions that cannot be checked if the name does not resolve correctly. */
const BLOCKED = ['reachability', 'tls-genuine', 'license-server'] as const;

const NXDOMAIN = 3;
const SERVFAIL = 2;

let bench: CheckBench;
let server: Peer;

beforeAll(async () => {
  bench = await createCheckBench();
  server = await bench.licenseServer();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await bench[Symbol.asyncDispose]();
});

/** The control hosts resolve as usual. Only queries for the licence server get this reaction. */
function onLicenseServer(react: (asked: DnsAsked) => DnsReaction): DnsHandler {
  const rest = loopbackZone();
  return (asked) => (asked.name === HOST ? react(asked) : rest(asked));
}

describe('one resolver', () => {
  test('reports that the name does not exist', async () => {
    await using resolver = await createDnsServer(onLicenseServer((asked) => reply(asked, [], { rcode: NXDOMAIN })));
    const result = await bench.check(server.port, { resolvers: [at(resolver)] });
    expect(conclusionOf(result)).toEqual(notReady('name-not-found', ...BLOCKED));
    expect(evidenceOf(result)).toContain('NXDOMAIN');
  });

  test('says that it filters the name', async () => {
    await using resolver = await createDnsServer(
      onLicenseServer((asked) => filtered(reply(asked, [], { rcode: NXDOMAIN }), 'by rule 7')),
    );
    const result = await bench.check(server.port, { resolvers: [at(resolver)] });
    expect(conclusionOf(result)).toEqual(notReady('name-not-found', ...BLOCKED));
    expect(result.causes[0]?.summary).toContain(`reports that it filters ${HOST}`);
    expect(evidenceOf(result)).toContain('the resolver gives the reason "Filtered"');
    expect(preconditionOf(result, 'name-resolution').findings).toMatchObject([
      { quote: 'Extended DNS error 17 (Filtered): by rule 7' },
    ]);
  });

  test('gives an address that is not on the internet', async () => {
    await using resolver = await createDnsServer(loopbackZone('169.254.30.40'));
    const result = await bench.check(server.port, { resolvers: [at(resolver)] });
    expect(conclusionOf(result)).toEqual(notReady('answer-hijacked', ...BLOCKED));
    expect(evidenceOf(result)).toContain('169.254.30.40');
  });

  test('fails', async () => {
    await using resolver = await createDnsServer(onLicenseServer((asked) => reply(asked, [], { rcode: SERVFAIL })));
    const result = await bench.check(server.port, { resolvers: [at(resolver)] });
    expect(conclusionOf(result)).toEqual(notReady('resolver-unreachable', ...BLOCKED));
    expect(evidenceOf(result)).toContain('SERVFAIL');
    expect(evidenceOf(result)).toContain('the resolver answers for control.example.test');
    expect(result.causes[0]?.summary).toContain('answers for other names');
  });
});

test('only the name of a service does not exist: a warning, about that service', async () => {
  const rest = loopbackZone();
  await using resolver = await createDnsServer((asked) =>
    asked.name === 'push.example.org' ? reply(asked, [], { rcode: NXDOMAIN }) : rest(asked),
  );
  const services = [
    { name: 'push', host: 'push.example.org', port: 443, trust: { profile: 'public' }, severity: 'warning' },
  ];
  const result = await bench.check(server.port, { resolvers: [at(resolver)], services });
  expect(result.exitCode).toBe(1);
  expect(result.causes.map(({ id, severity, subject }) => ({ id, severity, subject }))).toEqual([
    { id: 'name-not-found', severity: 'warning', subject: 'push.example.org' },
  ]);
  expect(result.causes[0]?.summary).toContain('push.example.org');
  expect(result.causes[0]?.remedy.join(' ')).not.toContain(HOST);
});

test('one of two resolvers lies: activation does not work for those who ask that one', async () => {
  await using good = await createDnsServer(loopbackZone());
  await using liar = await createDnsServer(loopbackZone('169.254.30.40'));
  const result = await bench.check(server.port, { resolvers: [at(good), at(liar)] });
  expect(conclusionOf(result)).toEqual(notReady('answer-hijacked'));
});

/** The answer with the extended DNS error 17 and this text (RFC 8914). */
function filtered(reaction: DnsReaction, text: string): DnsReaction {
  if (reaction.kind !== 'packet') return reaction;
  const plain = Buffer.from(encode(reaction.packet));
  plain.writeUInt16BE(1, 10);
  const error = Buffer.concat([Buffer.from([0, 15, 0, 2 + text.length, 0, 17]), Buffer.from(text)]);
  const opt = Buffer.from([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, error.length]);
  return { kind: 'raw', bytes: [Buffer.concat([plain, opt, error])] };
}

function at({ port }: { readonly port: number }): string {
  return `127.0.0.1:${String(port)}`;
}
