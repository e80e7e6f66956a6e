import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { beforeEach, describe, expect, test } from 'vitest';
import { sentenceStep } from '../../../src/engine/model.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { runCommand, type Ran } from '../../support/process/command-line.ts';
import { startControl } from '../../support/process/control-bench.ts';
import { causeOf, diagnosisOf } from '../../support/checks/diagnosis-of.ts';
import { timeline } from '../../support/store/incident-timeline.ts';
import { readPluginOutput } from '../../support/monitoring/plugin-output.ts';
import { createBlackHole } from '../../support/network/tcp-black-hole.ts';
import { folderOfEachTest } from '../../support/process/test-folder.ts';

const folder = folderOfEachTest();
/** The socket of the daemon whose store is `store.sqlite` in the folder. */
let socket: string;

beforeEach(() => {
  socket = folder.at('store.sqlite.sock');
  configure('store: { path: store.sqlite }');
});

function configure(text: string): void {
  writeFileSync(folder.at('ftm-watch.yaml'), text);
}

/** Runs the check. Nagios requires exactly one line of output. */
async function run(...args: readonly string[]): Promise<Ran & ReturnType<typeof readPluginOutput>> {
  const ran = await runCommand(['check', '--nagios', ...args, '-c', 'ftm-watch.yaml'], { cwd: folder.path });
  expect(ran.errors).toBe('');
  return { ...ran, ...readPluginOutput(ran.output) };
}

describe('ftm-watch check --nagios', () => {
  test('tells what the daemon knows, the log too', async () => {
    const diagnosis = diagnosisOf(systemClock.now() - 5_000, [causeOf('polling-failing')]);
    await using _ = await startControl(socket, { diagnosis });
    const { code, status, text, data } = await run();
    expect({ code, status, text }).toEqual({ code: 2, status: 'CRITICAL', text: 'Summary of polling-failing' });
    expect(data.get('round_age')?.value).toBeGreaterThanOrEqual(5);
  });

  test('tells the open incidents of the daemon', async () => {
    const line = timeline().rounds(5, [causeOf('mail-unreachable')]);
    const incidents = [...line.state.incidents.values()];
    await using _ = await startControl(socket, { diagnosis: diagnosisOf(systemClock.now(), []), incidents });
    const { code, text, data } = await run();
    expect(code).toBe(1);
    expect(text).toMatch(/^Ready now, but an incident is still open: Summary of mail-unreachable, since 20\d\d-/u);
    expect(data.get('incidents_open')?.value).toBe(1);
  });

  test('reads hundreds of open incidents with everything that belongs to them', async () => {
    const commands = Array.from({ length: 40 }, (_, index) => `set member ${String(index).repeat(40)}`).join('\n');
    const step = { ...sentenceStep('Run this.'), commands, undo: commands };
    const causes = Array.from({ length: 200 }, (_, index) =>
      causeOf('mail-unreachable', { subject: `mail${String(index)}.example.org:25`, remedySteps: [step, step, step] }),
    );
    const incidents = [...timeline().rounds(2, causes).state.incidents.values()];
    await using _ = await startControl(socket, { diagnosis: diagnosisOf(systemClock.now(), causes), incidents });
    const { code, text, data } = await run();
    expect(text).toMatch(/^Summary of mail-unreachable, since .* \(and 199 more\)$/u);
    expect(code).toBe(2);
    expect(data.get('incidents_open')?.value).toBe(200);
  });

  test('is UNKNOWN before the first round, and when the last one is old', async () => {
    await using bench = await startControl(socket);
    expect(await run()).toMatchObject({ code: 3, status: 'UNKNOWN', text: 'The first check has not finished yet' });
    bench.state.diagnosis = diagnosisOf(systemClock.now() - 120_000, []);
    expect(await run('--max-age', '1m')).toMatchObject({ code: 3, status: 'UNKNOWN' });
    expect(await run('--max-age', '3m')).toMatchObject({ code: 0, status: 'OK' });
  });

  test('is UNKNOWN within -t when the daemon does not answer', async () => {
    const mute = createServer((peer) => peer.on('error', () => undefined)).listen(socket);
    await once(mute, 'listening');
    expect(await run('-t', '1')).toMatchObject({
      code: 3,
      status: 'UNKNOWN',
      text: 'The checks did not finish within 1 s',
    });
    mute.close();
  });

  test('is UNKNOWN when something else answers', async () => {
    const stranger = createServer((peer) => peer.end('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n<|`>'));
    stranger.listen(socket);
    await once(stranger, 'listening');
    expect(await run()).toMatchObject({
      code: 3,
      text: 'Unexpected answer from the daemon (HTTP 200): check that the daemon is the same version as this command',
    });
    stranger.close();
  });

  test('names the first mistake of a configuration that is not valid', async () => {
    configure('webb: 1');
    const { code, status, text } = await run();
    expect({ code, status }).toEqual({ code: 3, status: 'UNKNOWN' });
    expect(text).toMatch(/ftm-watch\.yaml:1:1 {2}unknown key "webb"/u);
  });

  test('makes a round of its own where no daemon runs', async () => {
    configure(
      JSON.stringify({
        store: { path: 'store.sqlite' },
        resolvers: ['127.0.0.1:1'],
        licenseServer: { host: '127.0.0.1', port: 1 },
        controlHosts: [],
      }),
    );
    const { code, text } = await run();
    expect(code).toBe(2);
    expect(text).toMatch(/\(from a new check without log data, because no daemon is running\)$/u);
  });

  test('keeps -t in a round of its own, and so does every other form', async () => {
    await using hole = await createBlackHole();
    const licenseServer = { host: '127.0.0.1', port: hole.port };
    configure(JSON.stringify({ store: { path: 'store.sqlite' }, licenseServer, controlHosts: [] }));
    expect(await run('-t', '1')).toMatchObject({
      code: 3,
      status: 'UNKNOWN',
      text: 'The checks did not finish within 1 s',
    });
    const plain = await runCommand(['check', '--json', '-t', '1', '-c', 'ftm-watch.yaml'], { cwd: folder.path });
    expect(plain.code).toBe(3);
    expect(JSON.parse(plain.output)).toMatchObject({ ready: 'unknown' });
  });

  test('refuses a timeout that is none, and --json beside it', async () => {
    for (const args of [['-t', '0'], ['-t', 'soon'], ['--max-age', '1'], ['--json']]) {
      const ran = await runCommand(['check', '--nagios', ...args], { cwd: folder.path });
      expect(ran).toMatchObject({ code: 3, output: '' });
    }
  });
});
