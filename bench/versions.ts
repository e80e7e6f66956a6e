/**
 * Compares the cost of rounds with another version, on the same servers and in one run. Both have to be built.
 *
 *   npm run bench:versions -- OTHER_CHECKOUT [--rounds 100] [--pairs 10]
 *
 * Time jumps between two rounds (daemon/leap.ts), so that hourly work is included proportionally.
 */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { LICENSE_HOST, MAIL_HOST } from '../src/demo/lab/site.ts';
import { startOwnDaemon } from './daemon/own-daemon.ts';
import type { OwnDaemon } from './daemon/own-daemon.ts';
import { createSite } from './probes/site.ts';
import type { Site } from './probes/site.ts';
import { cpuMilliseconds } from './process-figures.ts';
import { formatSpread, spreadOf } from './statistics.ts';

const ADDRESSES = ['127.0.0.1', '127.0.0.2', '127.0.0.3'];
const HERE = fileURLToPath(new URL('..', import.meta.url));

const { values, positionals } = parseArgs({
  options: { rounds: { type: 'string', default: '100' }, pairs: { type: 'string', default: '10' } },
  allowPositionals: true,
});
const [other] = positionals;
if (other === undefined) throw new Error('Expected the folder of another version, built');
const rounds = Number(values.rounds);

await using site = await createSite(ADDRESSES);
await using own = await start(site, HERE);
await using before = await start(site, other);

const pairs: { readonly own: number; readonly other: number }[] = [];
// The program is compiled during the first rounds.
for (let pair = -1; pair < Number(values.pairs); pair += 1) {
  const isOwnFirst = pair % 2 === 0;
  const first = await costOf(isOwnFirst ? own : before);
  const second = await costOf(isOwnFirst ? before : own);
  const [mine, theirs] = isOwnFirst ? [first, second] : [second, first];
  process.stderr.write(`${mine.toFixed(2)} ms a round, the other ${theirs.toFixed(2)} ms\n`);
  if (pair >= 0) pairs.push({ own: mine, other: theirs });
}
const figures = {
  'this version, ms a round': formatSpread(spreadOf(pairs.map((pair) => pair.own)), 2),
  'the other, ms a round': formatSpread(spreadOf(pairs.map((pair) => pair.other)), 2),
  ratio: formatSpread(spreadOf(pairs.map((pair) => pair.own / pair.other)), 2),
};
for (const [name, figure] of Object.entries(figures)) process.stdout.write(`${name}: ${figure}\n`);

async function costOf(daemon: OwnDaemon): Promise<number> {
  const started = cpuMilliseconds(daemon.pid);
  await daemon.pass(rounds);
  return (cpuMilliseconds(daemon.pid) - started) / rounds;
}

/** Two resolvers, several addresses, two control hosts and mail, with the default schedule. */
function start(at: Site, checkout: string): Promise<OwnDaemon> {
  const { ports, fortinetCa } = at;
  const port = String(ports.dns);
  const mail = {
    host: MAIL_HOST,
    port: ports.mail,
    security: 'starttls',
    from: 'fac@example.org',
    to: 'probe@example.org',
    caFile: fortinetCa,
  };
  return startOwnDaemon(
    at,
    true,
    {
      licenseServer: { host: LICENSE_HOST, port: ports.license, expectedAddresses: ADDRESSES },
      resolvers: ADDRESSES.slice(0, 2).map((address) => `udp://${address}:${port}`),
      mail: [mail],
    },
    resolve(checkout, 'dist', 'main.js'),
  );
}
