import { LICENSE_HOST } from '../../src/demo/lab/site.ts';
import { dnsProbes } from '../probes/blackbox.ts';
import type { Blackbox, BlackboxProbe } from '../probes/blackbox.ts';
import type { Site } from '../probes/site.ts';
import { cpuMilliseconds } from '../process-figures.ts';
import { spreadOf } from '../statistics.ts';
import type { Spread } from '../statistics.ts';
import { startOwnDaemon } from './own-daemon.ts';

/** CPU of one round: of the daemon, and of blackbox_exporter for the probes that observe the same. */
export interface RoundCost {
  readonly ownMs: Spread;
  /** With one probe for each series that a round measures. */
  readonly sameSeriesMs: Spread;
  /** With the fewest probes that would be sufficient. */
  readonly fewestMs: Spread;
  readonly ratioToSameSeries: Spread;
  readonly ratioToFewest: Spread;
}

export interface RoundEffort {
  readonly rounds: number;
  readonly roundsAtOnce: number;
}

/**
 * Measures everything that the daemon does for a round: observing, judging, diagnosis, metrics, incidents, page,
 * history.
 */
export async function measureRound(
  site: Site,
  blackbox: Blackbox,
  { rounds, roundsAtOnce }: RoundEffort,
): Promise<RoundCost> {
  // Each second, so that the daemon's work between rounds is not counted.
  await using daemon = await startOwnDaemon(site, true, { schedule: { probes: '* * * * * *' } });
  const samples: { readonly own: number; readonly same: number; readonly fewest: number }[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const own = await cpuOf(daemon.pid, roundsAtOnce, () => daemon.pass(roundsAtOnce));
    const same = await cpuOf(blackbox.pid, roundsAtOnce, () => repeat(roundsAtOnce, sameSeries(site), blackbox));
    const fewest = await cpuOf(blackbox.pid, roundsAtOnce, () => repeat(roundsAtOnce, fewestProbes(site), blackbox));
    if (round > 0) samples.push({ own, same, fewest });
  }
  return {
    ownMs: spreadOf(samples.map(({ own }) => own)),
    sameSeriesMs: spreadOf(samples.map(({ same }) => same)),
    fewestMs: spreadOf(samples.map(({ fewest }) => fewest)),
    ratioToSameSeries: spreadOf(samples.map(({ own, same }) => own / same)),
    ratioToFewest: spreadOf(samples.map(({ own, fewest }) => own / fewest)),
  };
}

async function cpuOf(pid: number, rounds: number, work: () => Promise<void>): Promise<number> {
  const before = cpuMilliseconds(pid);
  await work();
  return (cpuMilliseconds(pid) - before) / rounds;
}

async function repeat(times: number, probes: readonly BlackboxProbe[], blackbox: Blackbox): Promise<void> {
  for (let done = 0; done < times; done += 1) for (const probe of probes) await blackbox.probe(probe);
}

/** Probes for the licence server and both control hosts: A, AAAA, the port, the handshake, the answer. */
export function sameSeries(site: Site): readonly BlackboxProbe[] {
  const resolver = `127.0.0.1:${String(site.ports.dns)}`;
  return (['license', 'control_0', 'control_1'] as const).flatMap((host) => {
    const target = targetOf(host, site);
    return [
      ...dnsProbes(host, resolver),
      { module: 'tcp', target },
      { module: `tls_${host}`, target },
      { module: `http_${host}`, target: `https://${target}/` },
    ];
  });
}

/**
 * Probes for A, the port, the handshake and the answer of the licence server, and only the answer of each control
 * host.
 */
function fewestProbes(site: Site): readonly BlackboxProbe[] {
  const target = targetOf('license', site);
  return [
    { module: 'dns_a_license', target: `127.0.0.1:${String(site.ports.dns)}` },
    { module: 'tcp', target },
    { module: 'tls_license', target },
    { module: 'http_license', target: `https://${target}/` },
    { module: 'http_control_0', target: `https://${targetOf('control_0', site)}/` },
    { module: 'http_control_1', target: `https://${targetOf('control_1', site)}/` },
  ];
}

function targetOf(host: 'license' | 'control_0' | 'control_1', { ports }: Site): string {
  const port = { license: ports.ecdsa, control_0: ports.controls[0], control_1: ports.controls[1] }[host];
  if (port === undefined) throw new Error(`Cannot look at ${host} beside ${LICENSE_HOST}: it is not served`);
  return `127.0.0.1:${String(port)}`;
}
