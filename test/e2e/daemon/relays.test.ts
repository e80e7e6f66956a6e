import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { valueIn } from '../../support/process/daemon-process.ts';
import { createDaemonBench } from '../../support/process/daemon-bench.ts';
import type { DaemonProcess } from '../../support/process/daemon-process.ts';
import { fixtureLines } from '../../support/logs/fixture-lines.ts';
import { freePort } from '../../support/network/free-port.ts';
import { startRsyslogRelay, startSyslogNgRelay, type LogRelay, type RelayPorts } from '../../support/logs/log-relay.ts';
import { describeWhere, findProgram } from '../../support/process/privilege.ts';
import { unpackedPackage } from '../../support/packaging/unpacked-package.ts';
import { until } from '../../support/time/until.ts';

const LIMIT_MS = 15_000;
const APPLIANCE = '127.0.0.5';
const STRANGER = '127.0.0.6';

const samples = fixtureLines('fac-syslog-samples.txt');
const error = samples.find((line) => line.includes('FTM polling error: connection timeout')) ?? '';
/** A different line follows the four identical lines, so that the relay reports how often the last one was repeated. */
const lines = [...samples, ...Array.from({ length: 4 }, () => error), samples[0] ?? ''];
/** Nine of the samples are known texts, as listed in the unit tests of the recogniser. */
const ERRORS = 9 + 4;

let daemon: DaemonProcess;
let port: number;

const site = await createDaemonBench();

beforeAll(async () => {
  await site.configure({
    logs: { syslog: { tcp: '127.0.0.1:0' }, relays: ['127.0.0.1'] },
    appliances: [{ name: 'fac-1', logSources: [APPLIANCE] }],
  });
  daemon = site.start();
  await daemon.page();
  const { tcp } = (await daemon.logged('log-listening')) as unknown as {
    readonly tcp: { readonly port: number };
  };
  port = tcp.port;
});
afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
});

async function send(to: number, localAddress: string, sent: readonly string[]): Promise<void> {
  const socket = connect({ port: to, host: '127.0.0.1', localAddress });
  await once(socket, 'connect');
  socket.end(sent.map((line) => `${line}\n`).join(''));
  await once(socket.resume(), 'close');
}

interface Counted {
  readonly errors: number;
  readonly foreign: number;
  readonly unrecognised: number;
}

async function counted(): Promise<Counted> {
  const metrics = await daemon.read('metrics');
  const errors = [...metrics.matchAll(/^ftm_polling_errors_total\{[^}]*\} (\d+)$/gmu)].map(([, value]) =>
    Number(value),
  );
  return {
    errors: errors.reduce((sum, value) => sum + value, 0),
    foreign: valueIn(metrics, 'ftm_log_lines_total{source="tcp",result="foreign"}'),
    unrecognised: valueIn(metrics, 'ftm_log_lines_total{source="tcp",result="unrecognised"}'),
  };
}

/**
 * Relays the lines of the appliance and, if the relay preserves the host, those of an unknown sender and of a program
 * that imitates the appliance.
 */
async function relayed(start: (ports: RelayPorts) => Promise<LogRelay>, keepsHost = true): Promise<Counted> {
  const before = await counted();
  const listen = await freePort();
  await using _ = await start({ listen, to: port });
  if (keepsHost) {
    const forged = await forgedLines();
    await send(listen, STRANGER, forged);
    await until(counted, ({ foreign }) => foreign >= before.foreign + forged.length, LIMIT_MS);
    await send(listen, STRANGER, samples);
  }
  await send(listen, APPLIANCE, lines);
  await until(counted, ({ errors }) => errors >= before.errors + ERRORS, LIMIT_MS);
  const after = await counted();
  return { ...after, errors: after.errors - before.errors };
}

/**
 * What `logger`, which needs no privilege, sends for a program that imitates the appliance, in every form that could
 * hide the program.
 */
async function forgedLines(): Promise<readonly string[]> {
  const header = `Aug 14 22:40:02 ${APPLIANCE} db[1]`;
  const message = error.slice(error.indexOf('category='));
  const forms = [
    ['--rfc3164', `<11>${header}: ${message}`],
    ['--rfc3164', `${header}: ${message}`],
    ['--rfc3164', `<11>1 2026-11-30T22:00:00Z ${APPLIANCE} db 1 - - ${message}`],
    ['--rfc3164', '--tag', header, message],
    ['--rfc5424', `<11>${header}: ${message}`],
    ['--rfc5424', '--tag', '-', `<11>${header}: ${message}`],
  ];
  return Promise.all(forms.map(written));
}

async function written(form: readonly string[]): Promise<string> {
  await using server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const received = new Promise<Socket>((resolve) => server.once('connection', resolve)).then(text);
  const { port: to } = server.address() as AddressInfo;
  await promisify(execFile)('logger', ['-n', '127.0.0.1', '-P', String(to), '-T', ...form]);
  return (await received).trimEnd();
}

const EXPECTED = { errors: ERRORS, unrecognised: 0 };

describe('what a relay makes of the lines of FortiAuthenticator', () => {
  describeWhere([{ program: 'rsyslogd' }, { program: 'logger' }], 'rsyslog', () => {
    test.each([
      'RSYSLOG_TraditionalForwardFormat',
      'RSYSLOG_ForwardFormat',
      'RSYSLOG_SyslogProtocol23Format',
      'RSYSLOG_FileFormat',
    ])('with %s: every error counts, and none of a stranger or a program', async (template) => {
      expect(await relayed((ports) => startRsyslogRelay(findProgram('rsyslogd') ?? '', ports, template))).toMatchObject(
        EXPECTED,
      );
    });

    test('with what was received, which names no host: every error counts for the only appliance', async () => {
      expect(
        await relayed((ports) => startRsyslogRelay(findProgram('rsyslogd') ?? '', ports, 'raw'), false),
      ).toMatchObject(EXPECTED);
    });
  });

  describeWhere([{ unpacked: 'syslog-ng-core' }, { program: 'logger' }], 'syslog-ng', () => {
    test.each([
      'network("127.0.0.1" port(PORT) suppress(30))',
      'syslog("127.0.0.1" transport("tcp") port(PORT) suppress(30))',
      'network("127.0.0.1" port(PORT) suppress(30) template("$ISODATE $HOST $MSGHDR$MSG\\n"))',
    ])('with %s: every error counts, and none of a stranger or a program', async (destination) => {
      const root = unpackedPackage('syslog-ng-core') ?? '';
      expect(await relayed((ports) => startSyslogNgRelay(root, ports, destination))).toMatchObject(EXPECTED);
    });
  });
});
