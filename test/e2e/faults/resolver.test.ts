import { encode } from 'dns-packet';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { createLab } from '../../../src/demo/lab/lab.ts';
import { CONTROL_HOSTS, LICENSE_HOST, MAIL_HOST } from '../../../src/demo/lab/site.ts';
import { startDaemonProcess, type DaemonProcess } from '../../support/process/daemon-process.ts';
import {
  createDnsServer,
  reply,
  zone,
  type DnsAsked,
  type DnsHandler,
  type DnsReaction,
  type DnsServer,
} from '../../support/network/dns-server.ts';
import { watchRounds } from '../../support/process/round-watcher.ts';

const WITHIN = 25_000;
const TRUNCATED = 0x0200;
const MANY = 10_000;

const NAMES = [LICENSE_HOST, MAIL_HOST, ...CONTROL_HOSTS];
const honest = zone(
  Object.fromEntries(NAMES.map((name) => [name, [{ type: 'A', name, class: 'IN', ttl: 5, data: '127.0.0.1' }]])),
);

/** Marks the response as truncated over UDP, so that the query is repeated over TCP. */
function overTcp(handler: DnsHandler): DnsHandler {
  return (asked) => (asked.transport === 'udp' ? reply(asked, [], { flags: TRUNCATED }) : handler(asked));
}

function addresses(asked: DnsAsked, list: readonly string[]): DnsReaction {
  return reply(
    asked,
    asked.type === 'A' ? list.map((data) => ({ type: 'A', name: asked.name, class: 'IN', ttl: 5, data }) as const) : [],
  );
}

const flood: DnsReaction = { kind: 'raw', bytes: Array.from({ length: MANY }, () => Buffer.alloc(64, 'x')) };

/** As many as fit into a 64 KiB message. */
const crowd = Array.from({ length: 1_400 }, (_, index) => `127.1.${String(index >> 8)}.${String(index & 0xff)}`);

const lies: readonly { readonly name: string; readonly handler: DnsHandler; readonly cause: string }[] = [
  {
    name: 'says of every name that it does not exist',
    handler: (asked) => reply(asked, [], { rcode: 3 }),
    cause: 'name-not-found',
  },
  {
    name: 'sends everybody to a sinkhole',
    handler: (asked) => addresses(asked, ['0.0.0.0']),
    cause: 'answer-hijacked',
  },
  {
    name: 'answers under another id',
    handler: (asked) => {
      const answer = reply(asked, []);
      if (answer.kind !== 'packet') return answer;
      const bytes = encode({ ...answer.packet, id: ((asked.packet.id ?? 0) + 1) & 0xffff });
      return { kind: 'raw', bytes: [bytes] };
    },
    cause: 'resolver-unreachable',
  },
  {
    name: 'answers with an alias of itself',
    handler: (asked) => reply(asked, [{ type: 'CNAME', name: asked.name, class: 'IN', ttl: 5, data: asked.name }]),
    cause: 'resolver-unreachable',
  },
  {
    name: 'cuts every answer off',
    handler: (asked) => reply(asked, [], { flags: TRUNCATED }),
    cause: 'resolver-unreachable',
  },
  {
    name: 'trickles a byte a second over TCP',
    handler: overTcp(() => ({ kind: 'trickle' })),
    cause: 'resolver-unreachable',
  },
  {
    name: 'floods a question with 10,000 packets that are no answer',
    handler: (asked) => (asked.name === LICENSE_HOST ? flood : honest(asked)),
    cause: 'resolver-unreachable',
  },
  {
    name: 'gives as many addresses as a message has room for',
    handler: overTcp((asked) => addresses(asked, crowd)),
    cause: 'answer-hijacked',
  },
];

let liar: DnsServer;
let daemon: DaemonProcess;
let handler: DnsHandler = honest;

const lab = await createLab();

beforeAll(async () => {
  liar = await createDnsServer((asked) => handler(asked));
  // The units have no host names, because the flood keeps this process from answering queries for them.
  const settings = {
    ...(JSON.parse(readFileSync(lab.configFile, 'utf8')) as object),
    appliances: [],
    registration: undefined,
    firewall: undefined,
  };
  const file = join(lab.folder, 'liar.yaml');
  writeFileSync(file, JSON.stringify({ ...settings, resolvers: [`127.0.0.1:${String(liar.port)}`] }));
  daemon = startDaemonProcess({ cwd: lab.folder, args: ['-c', file] });
});
afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  await liar[Symbol.asyncDispose]();
  await lab[Symbol.asyncDispose]();
});

test.each(lies)('a resolver that $name is what is told, within a round', async ({ handler: lie, cause }) => {
  await using rounds = await watchRounds(await daemon.page());
  // Without an honest answer in between, because a fault that comes and goes is reported as one.
  handler = lie;
  const seen = await rounds.next(({ causes }) => causes.some(({ id }) => id === cause), WITHIN);
  expect(seen.causes.map(({ precondition }) => precondition)).not.toContain('tls-genuine');
});

test('all of it leaves the daemon well', async () => {
  handler = honest;
  await using rounds = await watchRounds(await daemon.page());
  await rounds.next(({ ready }) => ready === 'ready', WITHIN);
  expect(daemon.log.filter(({ event }) => event === 'run-failed')).toEqual([]);
  expect(await daemon.end('SIGTERM')).toMatchObject({ code: 0, stderr: '' });
});
