import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { listening } from '../../../src/demo/lab/listening.ts';
import { createLogListening, type LogListening } from '../../../src/logs/intake.ts';
import { systemClock } from '../../../src/system/clock.ts';
import type { JsonFile } from '../../../src/system/json-file.ts';
import { configOf } from '../../support/config/config-of.ts';
import { freePort } from '../../support/network/free-port.ts';
import { TROUBLE } from '../../support/logs/intake-bench.ts';
import { logRecorder } from '../../support/process/log-recorder.ts';
import { shippedCatalogue } from '../../support/logs/signature-catalogue.ts';

interface Memory extends JsonFile {
  readonly saves: readonly unknown[];
}

function memory(content: unknown): Memory {
  const saves: unknown[] = [];
  return {
    saves,
    load: () => Promise.resolve(saves.at(-1) ?? content),
    save: (value) => {
      saves.push(JSON.parse(JSON.stringify(value)));
      return Promise.resolve();
    },
  };
}

const POSITIONS = { '/var/log/fac.log': [{ device: 1, inode: 2, head: '', headLength: 0, position: 3 }] };

/** Listens on UDP, with `onEvent` called for each event, and on a TCP port that is in use. */
async function listenInPart(file: JsonFile, udp: number, onEvent: () => void): Promise<LogListening> {
  const { port: tcp, close } = await listening(createServer());
  onTestFinished(close);
  const config = await configOf(
    `{ logs: { syslog: { udp: "127.0.0.1:${String(udp)}", tcp: "127.0.0.1:${String(tcp)}" } } }`,
  );
  const logs = createLogListening(config, {
    clock: systemClock,
    logger: logRecorder(),
    signatures: await shippedCatalogue(),
    certificate: null,
    pollingFile: file,
    formerPositions: '/nowhere/log-positions.json',
    onEvent,
  });
  await expect(logs.start()).rejects.toThrow(`127.0.0.1:${String(tcp)}`);
  return logs;
}

test('a start that fails leaves what the run before has kept', async () => {
  const file = memory({ files: POSITIONS });
  const logs = await listenInPart(file, 0, () => undefined);
  await logs.stop();
  expect(file.saves).toEqual([]);
});

test('lines that came before the start failed are kept, with the positions of the run before', async () => {
  const file = memory({ files: POSITIONS });
  const port = await freePort();
  const socket = createSocket('udp4');
  onTestFinished(() => void socket.close());
  const stream = setInterval(() => socket.send(TROUBLE, port, '127.0.0.1'), 0);
  onTestFinished(() => clearInterval(stream));
  let heard = 0;
  await vi.waitFor(
    async () => {
      const logs = await listenInPart(file, port, () => {
        heard += 1;
      });
      await logs.stop();
      expect(heard).toBeGreaterThan(0);
    },
    { timeout: 15_000 },
  );
  expect(file.saves.at(-1)).toMatchObject({ files: POSITIONS, appliances: { unnamed: {} } });
});
