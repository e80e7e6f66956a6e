import { writeFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { diagnosisToJson } from '../../../src/checks/diagnosis-json.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { causeOf, diagnosisOf } from '../../support/checks/diagnosis-of.ts';
import { createPrtgSensor, type SensorView } from '../../support/monitoring/prtg-sensor.ts';
import { runCommand } from '../../support/process/command-line.ts';
import { startControl } from '../../support/process/control-bench.ts';
import { folderOfEachTest } from '../../support/process/test-folder.ts';

const folder = folderOfEachTest();

beforeEach(() => configure('store: { path: store.sqlite }'));

function configure(text: string): void {
  writeFileSync(folder.at('ftm-watch.yaml'), text);
}

/** Runs the check as a script sensor does. */
async function run(...args: readonly string[]): Promise<SensorView> {
  const ran = await runCommand(['check', '--prtg', ...args, '-c', 'ftm-watch.yaml'], { cwd: folder.path });
  expect(ran).toMatchObject({ code: 0, errors: '' });
  // PRTG reads the output in the code page of the machine.
  expect(ran.output).toMatch(/^[ -~]+\n$/u);
  return createPrtgSensor(new Map()).scan(ran.output);
}

describe('ftm-watch check --prtg', () => {
  test('tells what the daemon knows, in any language', async () => {
    const diagnosis = diagnosisOf(systemClock.now(), [causeOf('tls-intercepted', { product: 'Ünïcode 🔥' })]);
    const quantity = { id: 'tokens-free', subject: 'fac-1', value: 7, unit: 'tokens' } as const;
    await using _ = await startControl(folder.at('store.sqlite.sock'), {
      diagnosis: { ...diagnosis, quantities: [quantity] },
    });
    const { state, message, channels } = await run();
    expect([state, channels.get('State'), channels.get('Tokens free (fac-1)')]).toEqual(['Down', 2, 7]);
    expect(message).toContain(diagnosisToJson(diagnosis).causes[0]?.headline);
  });

  test('is an error before the first round, and unknown when the last one is old', async () => {
    await using bench = await startControl(folder.at('store.sqlite.sock'));
    expect(await run()).toMatchObject({ state: 'Down', channels: new Map() });
    bench.state.diagnosis = diagnosisOf(systemClock.now() - 120_000, []);
    const old = await run('--max-age', '1m');
    expect([old.state, old.channels.get('State')]).toEqual(['Warning', 3]);
  });

  test('is an error if the configuration is not valid', async () => {
    configure('webb: 1');
    const { state, message } = await run();
    expect(state).toBe('Down');
    expect(message).toContain('ftm-watch.yaml:1:1');
  });

  test('makes a round of its own where no daemon runs', async () => {
    const nowhere = { resolvers: ['127.0.0.1:1'], licenseServer: { host: '127.0.0.1', port: 1 }, controlHosts: [] };
    configure(JSON.stringify({ store: { path: 'store.sqlite' }, ...nowhere }));
    const { state, channels } = await run();
    expect([state, channels.get('State'), channels.has('Round age')]).toEqual(['Down', 2, false]);
  });

  test.each(['--json', '--nagios', '--all'])('is not combined with %s', async (other) => {
    const ran = await runCommand(['check', '--prtg', other], { cwd: folder.path });
    expect(ran).toMatchObject({ code: 3, output: '' });
  });
});
