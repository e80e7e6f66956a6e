import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { beforeEach, describe, expect, test } from 'vitest';
import { CHECKS } from '../../../src/checks/registry.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { causeOf, diagnosisOf } from '../../support/checks/diagnosis-of.ts';
import { type CheckmkHost, MONITOR, readCheckmk } from '../../support/monitoring/checkmk-site.ts';
import { runCommand } from '../../support/process/command-line.ts';
import { startControl } from '../../support/process/control-bench.ts';
import { folderOfEachTest } from '../../support/process/test-folder.ts';

const folder = folderOfEachTest();
const SERVICES = 1 + CHECKS.length;
const APPLIANCES = [{ name: 'fac-1' }, { name: 'fac-2' }];
let socket: string;

beforeEach(() => {
  socket = folder.at('store.sqlite.sock');
  configure({});
});

function configure(more: object): void {
  writeFileSync(folder.at('ftm-watch.yaml'), JSON.stringify({ store: { path: 'store.sqlite' }, ...more }));
}

/** Runs the local check. The agent discards the output of one that fails. */
async function run(...args: readonly string[]): Promise<ReadonlyMap<string, CheckmkHost>> {
  const { code, output, errors } = await runCommand(['check', ...args, '-c', 'ftm-watch.yaml'], { cwd: folder.path });
  expect({ code, errors }).toEqual({ code: 0, errors: '' });
  return readCheckmk(output);
}

/** Returns the states of the services and what they say, each once. */
async function saidBy(
  ...args: readonly string[]
): Promise<{ readonly states: readonly number[]; readonly text: string }> {
  const services = [...((await run('--checkmk', ...args)).get(MONITOR)?.values() ?? [])];
  expect(services).toHaveLength(SERVICES);
  return {
    states: [...new Set(services.map(({ state }) => state))],
    text: [...new Set(services.map(({ summary }) => summary))].join('\n'),
  };
}

describe('ftm-watch check --checkmk', () => {
  test('shows what the daemon knows, and the lines about units at their hosts', async () => {
    configure({ appliances: APPLIANCES });
    const cause = causeOf('polling-failing', { subject: 'fac-2' });
    await using _ = await startControl(socket, { diagnosis: diagnosisOf(systemClock.now() - 5_000, [cause]) });
    const here = (await run('--checkmk')).get(MONITOR);
    expect(here?.get('FTM Activation')).toMatchObject({ state: 2 });
    expect(here?.get('FTM Activation')?.metrics.get('round_age')).toBeGreaterThanOrEqual(5);
    expect(here?.get('FTM Polling')?.state).toBe(2);
    const hosts = await run('--piggyback');
    expect([...hosts.keys()]).toEqual([MONITOR, 'fac-1', 'fac-2']);
    expect(hosts.get('fac-1')?.get('FTM Polling')?.state).toBe(0);
    expect(hosts.get('fac-2')?.get('FTM Polling')?.state).toBe(2);
  });

  test('is unknown before the first round, and when the last one is old', async () => {
    await using bench = await startControl(socket);
    expect((await saidBy()).states).toEqual([3]);
    bench.state.diagnosis = diagnosisOf(systemClock.now() - 120_000, []);
    expect((await saidBy('--max-age', '1m')).states).toEqual([3]);
    expect((await saidBy('--max-age', '3m')).states).toEqual([0]);
  });

  test('is unknown within -t when the daemon does not answer', async () => {
    const mute = createServer((peer) => peer.on('error', () => undefined)).listen(socket);
    await once(mute, 'listening');
    expect((await saidBy('-t', '1')).states).toEqual([3]);
    mute.close();
  });

  test('is unknown when the configuration is not valid, also where the units cannot be read', async () => {
    configure({ webb: 1 });
    const { states, text } = await saidBy();
    expect(states).toEqual([3]);
    expect(text).toContain('ftm-watch.yaml:1');
    const [services] = (await run('--piggyback')).values();
    expect(services?.get('FTM Activation')).toMatchObject({ state: 3, summary: text });
  });

  test('makes a round of its own where no daemon runs', async () => {
    configure({ resolvers: ['127.0.0.1:1'], licenseServer: { host: '127.0.0.1', port: 1 }, controlHosts: [] });
    const services = (await run('--checkmk')).get(MONITOR);
    expect(services?.get('FTM Activation')?.state).toBe(2);
    expect(services?.get('FTM Activation')?.metrics.has('round_age')).toBe(false);
    expect(services?.get('FTM Reachability')?.state).toBe(2);
    expect([...(services?.values() ?? [])].filter(({ state }) => state !== 0)).toHaveLength(2);
  });

  test('cannot be combined with another form', async () => {
    for (const form of ['--checkmk', '--piggyback'])
      for (const other of ['--json', '--nagios'])
        expect(await runCommand(['check', form, other], { cwd: folder.path })).toMatchObject({ code: 3, output: '' });
  });
});
