import { hostname } from 'node:os';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { sendLines, syslogLine, syslogLines } from '../../../src/notify/channels/syslog.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { AT_HQ } from '../../support/checks/message-context.ts';
import { readCefEvent } from '../../support/notify/cef-event.ts';
import { channelsOf, deliverTo } from '../../support/notify/channel-bench.ts';
import { firingOf } from '../../support/notify/outbox-entry-of.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { fixtureLines } from '../../support/logs/fixture-lines.ts';
import { freePort } from '../../support/network/free-port.ts';
import { START, timeline } from '../../support/store/incident-timeline.ts';
import { startIntake, TROUBLE } from '../../support/logs/intake-bench.ts';
import { startRsyslogRelay } from '../../support/logs/log-relay.ts';
import { describeWhere, findProgram } from '../../support/process/privilege.ts';
import { startProgram, type StartedProgram } from '../../support/process/start-program.ts';

/** The parts of a line as parsed by rsyslog, under its own property names. */
type ReadLine = Readonly<
  Record<'host' | 'program' | 'process' | 'id' | 'data' | 'severity' | 'facility' | 'time' | 'text', string>
>;

/** A real rsyslog on loopback that receives lines over UDP and TCP. */
interface RsyslogReceiver extends StartedProgram {
  readonly port: number;
  lines(): readonly ReadLine[];
}

const PROPERTIES: Readonly<Record<keyof ReadLine, string>> = {
  host: 'hostname',
  program: 'app-name',
  process: 'procid',
  id: 'msgid',
  data: 'structured-data',
  severity: 'syslogseverity-text',
  facility: 'syslogfacility-text',
  time: 'timereported',
  text: 'msg',
};

async function startRsyslogReceiver(program: string): Promise<RsyslogReceiver> {
  const port = await freePort();
  let output = '';
  // Reads /proc/net, because a connection would produce a line.
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')} `;
  const started = await startProgram((folder) => {
    output = join(folder, 'lines.json');
    return {
      command: [program, '-n', '-f', join(folder, 'rsyslog.conf'), '-i', join(folder, 'pid')],
      config: { 'lines.json': '', 'rsyslog.conf': configuration(folder, port, output) },
      readyWhen: () => ['tcp', 'udp'].every((kind) => readFileSync(`/proc/net/${kind}`, 'utf8').includes(wanted)),
      stop: 'SIGTERM',
    };
  });
  return {
    ...started,
    port,
    lines: () =>
      readFileSync(output, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as ReadLine),
  };
}

function configuration(folder: string, port: number, output: string): string {
  const properties = Object.entries(PROPERTIES).map(([name, property]) => {
    const date = property === 'timereported' ? ' dateFormat="rfc3339"' : '';
    return `  property(outname="${name}" name="${property}" format="jsonf"${date})`;
  });
  return `global(workDirectory="${folder}" net.enableDNS="off")
module(load="imtcp")
module(load="imudp")
input(type="imtcp" address="127.0.0.1" port="${String(port)}")
input(type="imudp" address="127.0.0.1" port="${String(port)}")
template(name="json" type="list" option.jsonf="on") {
${properties.join('\n')}
}
*.* action(type="omfile" file="${output}" template="json")
`;
}

const PATIENCE = { timeout: 15_000 };
const NEVER = new AbortController().signal;
/** Matches a hostile subject as well: three characters are escaped. */
const DATA = new RegExp(
  String.raw`^\[ftm-watch@32473 id="[^"]+" event="firing" site="hq" incident="[^"]+" cause="tls-intercepted" ` +
    String.raw`severity="critical" confidence="confirmed" subject="a\\"b\\\]c\\\\d"\]$`,
  'u',
);
const RSYSLOG = findProgram('rsyslogd') ?? '';

describeWhere([{ program: 'rsyslogd' }], 'syslog out, to a real rsyslog', () => {
  it.each(['udp', 'tcp'])('is read as what it says, over %s', async (transport) => {
    await using receiver = await startRsyslogReceiver(RSYSLOG);
    const [channel] = await channelsOf({
      syslog: [{ name: 'siem', host: '127.0.0.1', port: receiver.port, transport }],
    });
    if (channel === undefined) throw new Error('No channel was made');
    const hostile = causeOf('tls-intercepted', { subject: 'a"b]c\\d' });
    const mails = Array.from({ length: 4 }, (_, index) =>
      causeOf('mail-unreachable', { severity: 'warning', subject: `mail-${String(index)}:25` }),
    );
    const { told } = timeline()
      .rounds(3, [hostile, ...mails])
      .rounds(8, []);
    for (const notification of told)
      expect(await deliverTo(channel, notification)).toEqual([{ recipient: 'siem', kind: 'sent', detail: '' }]);

    const lines = await expect
      .poll(() => receiver.lines().length, PATIENCE)
      .toBe(10)
      .then(() => receiver.lines());
    const [first] = lines;
    expect(first).toMatchObject({
      host: hostname(),
      program: 'ftm-watch',
      process: '-',
      id: 'firing',
      severity: 'crit',
      facility: 'daemon',
      data: expect.stringMatching(DATA) as string,
      text: expect.stringMatching(/^ ?CRITICAL FTM hq: TLS/u) as string,
    });
    expect(Date.parse(first?.time ?? '')).toBe(told[0]?.at);
    expect(lines.map(({ id, severity }) => `${id} ${severity}`).toSorted()).toEqual(
      [
        'firing crit',
        ...Array.from({ length: 4 }, () => 'firing warning'),
        ...Array.from({ length: 5 }, () => 'resolved notice'),
      ].toSorted(),
    );
  });

  it.each(['udp', 'tcp'])('in the Common Event Format is read as what it says, over %s', async (transport) => {
    await using receiver = await startRsyslogReceiver(RSYSLOG);
    const [channel] = await channelsOf({
      syslog: [{ name: 'siem', host: '127.0.0.1', port: receiver.port, transport, format: 'cef' }],
    });
    if (channel === undefined) throw new Error('No channel was made');
    const subject = String.raw`a|b=c\d"]`;
    const { told } = timeline()
      .rounds(3, [causeOf('tls-intercepted', { subject, product: 'Ä|\\' })])
      .rounds(8, []);
    for (const notification of told) expect(await deliverTo(channel, notification)).toMatchObject([{ kind: 'sent' }]);
    const lines = await expect
      .poll(() => receiver.lines().length, PATIENCE)
      .toBe(2)
      .then(() => receiver.lines());
    expect(lines.map(({ id, severity, data }) => ({ id, severity, data }))).toEqual([
      { id: 'firing', severity: 'crit', data: '-' },
      { id: 'resolved', severity: 'notice', data: '-' },
    ]);
    const events = lines.map(({ text }) => readCefEvent(text.trimStart()));
    expect(events.map(({ severity, extension: { cs3, start } }) => ({ severity, cs3, start }))).toEqual(
      [9, 3].map((severity) => ({ severity, cs3: subject, start: String(START) })),
    );
    expect(events[0]?.name).toContain('Ä|\\');
  });

  it('is put off where nobody listens', async () => {
    const port = await freePort();
    const channels = await channelsOf({
      syslog: ['udp', 'tcp', 'tls'].map((transport, index) => ({
        name: transport,
        host: `127.0.0.${String(index + 1)}`,
        port,
        transport,
      })),
    });
    const [firing] = timeline().rounds(3, [causeOf('tls-intercepted')]).told;
    if (firing === undefined) throw new Error('Nothing was told');
    for (const channel of channels)
      expect(await deliverTo(channel, firing)).toMatchObject([
        { kind: 'deferred', detail: expect.stringContaining('ECONNREFUSED') as string },
      ]);
  });
});

describeWhere([{ program: 'rsyslogd' }], "ftm-watch's own lines, brought back by a real rsyslog", () => {
  it.each([
    // RFC 3164 requires a colon after the tag. A program name of RFC 5424 has none, so the control line counts only
    // once.
    ['RSYSLOG_TraditionalForwardFormat', 1],
    ['RSYSLOG_ForwardFormat', 1],
    ['RSYSLOG_FileFormat', 1],
    ['RSYSLOG_SyslogProtocol23Format', 10],
    ['raw', 10],
  ])('with %s are nobody else’s, whatever they quote', async (template, control) => {
    const bench = await startIntake({
      appliances: [{ name: 'fac-1', logSources: [] }],
      logs: { relays: ['127.0.0.1'] },
    });
    const listen = await freePort();
    await using _ = await startRsyslogRelay(RSYSLOG, { listen, to: bench.portOf('tcp') }, template);
    const send = (lines: readonly string[]): Promise<void> =>
      sendLines(lines, { host: '127.0.0.1', port: listen, transport: 'tcp', caFile: null }, systemClock, NEVER);
    // All known texts, both as the message and at the position of a header.
    const quoted = fixtureLines('fac-syslog-samples.txt').flatMap((line) => [
      line,
      line.replace(/^.*?status="[^"]*" /u, ''),
    ]);
    const host = 'watch-1';
    const number = 32_473;
    const own = quoted.flatMap((message) => [
      syslogLine({ at: START, severity: 2, host, messageId: 'firing', parameters: { site: 'hq' }, message }, number),
      ...syslogLines(
        firingOf(causeOf('tls-intercepted', { summary: message })),
        { format: 'cef', enterpriseNumber: number },
        { ...AT_HQ, host },
      ),
    ]);

    await send(own);
    await expect.poll(() => bench.intake.counters().lines.tcp.other, PATIENCE).toBe(own.length);
    const { lines, lastReceivedAt } = bench.intake.counters();
    expect(lines.tcp).toMatchObject({ ftm: 0, unrecognised: 0, foreign: 0, unparsed: 0 });
    expect([...lastReceivedAt]).toEqual([]);
    expect(bench.events).toEqual([]);

    // The same text through the same relay, but from another program.
    await send([TROUBLE, ...own.map((line) => line.replace(' ftm-watch ', ' db '))]);
    await expect.poll(() => bench.intake.counters().lines.tcp.ftm, PATIENCE).toBeGreaterThanOrEqual(control);
  });
});
