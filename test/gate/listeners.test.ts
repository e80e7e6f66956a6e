import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { listenersIn } from './listeners.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const FOLDERS = ['src/network', 'src/logs'];

/** A listener and the test that makes it fail: the file in `test`, and the name of the test or a part of it. */
type Entry = readonly [listener: string, file: string, test: string];

const NETWORK = 'integration/network/listeners.test.ts';
const OWN_NETWORK = 'e2e/faults/own-network.test.ts';
const STATES = 'e2e/faults/network-states.test.ts';
const PROXY = 'integration/round/proxy.test.ts';
const REQUEST = 'integration/round/request.test.ts';
const TCP = 'integration/round/tcp.test.ts';
const HANDSHAKE = 'integration/round/broken-handshake.test.ts';
const UNTRUSTED = 'integration/security/advice-of-node.test.ts';
const REVOKED = 'integration/web/revoked-clients.test.ts';
const NTP = 'integration/round/ntp.test.ts';
const MAIL = 'integration/round/mail-failing.test.ts';
const SNMP = 'integration/connectors/snmp.test.ts';
const REGISTRATION = 'integration/connectors/registration-errors.test.ts';
const STATUSES = 'integration/connectors/statuses.test.ts';
const LOG_TCP = 'integration/logs/tcp.test.ts';
const LOG_FAILING = 'integration/logs/failing.test.ts';
const LOG_TLS = 'integration/logs/tls.test.ts';
const LOG_UDP = 'integration/logs/udp.test.ts';
const SLOW_HANDSHAKES = 'integration/web/slow-handshakes.test.ts';
const CERTIFICATES = 'integration/logs/certificates.test.ts';

/**
 * Every event listener and callback of the network and of the log listeners, in source order. Each has a test in
 * which it fails for a real reason (no route, a closed port, no file descriptor, a peer that closes the connection, a
 * round that is cancelled) and the failure affects only its own operation.
 */
const LISTENERS: Readonly<Record<string, readonly Entry[]>> = {
  'src/network/connect.ts': [
    ['on error', UNTRUSTED, '%s says of a certificate that is %s nothing about options of Node'],
    ['on error', NETWORK, 'may be reset while nobody uses it'],
    ['addEventListener abort', TCP, 'says aborted, not timeout'],
    ['once ready', NETWORK, 'may be reset while nobody uses it'],
    ['once error', TCP, 'says that the port is refused'],
    ['once close', NETWORK, 'that is closed during a handshake fails it'],
  ],
  'src/network/connection-evictor.ts': [['once close', LOG_TCP, 'closes the quietest connection for one too many']],
  'src/network/context.ts': [
    ['addEventListener abort', 'unit/network/unless-aborted.test.ts', 'fails with the reason of the signal'],
  ],
  'src/network/dial.ts': [
    ['once connect', PROXY, 'names the status when the proxy answers'],
    ['on error', PROXY, 'a reset'],
    ['once close', PROXY, 'an orderly end'],
  ],
  'src/network/http/request.ts': [
    ['once response', REQUEST, 'reads 64 KiB of a body without end'],
    ['on error', REQUEST, 'tells a reset from an orderly end'],
    ['once close', REQUEST, 'fails where the peer switches protocols'],
  ],
  'src/network/lookup.ts': [
    ['callback of lookupWithCallback', OWN_NETWORK, 'knows that it could not ask for a name'],
    ['on error', 'integration/network/getaddrinfo.test.ts', 'is told that it has none'],
    ['callback of bind', OWN_NETWORK, 'knows that it could not ask for a name'],
    ['addEventListener abort', 'unit/network/limiter.test.ts', 'lets a waiting task go with its signal'],
  ],
  'src/network/rest/json-exchange.ts': [
    ['on error', NETWORK, 'in the body of a refusal'],
    ['on error', NETWORK, 'in an encoding that nobody asked for'],
    ['once connect', STATUSES, 'that answers with %s is: %s, %s'],
    ['callback of connect', REGISTRATION, 'a certificate of somebody else gets no credentials'],
  ],
  'src/network/smtp/session.ts': [
    ['addEventListener abort', MAIL, 'falls silent at the recipient'],
    ['addEventListener abort', MAIL, 'ends at once when the round is called off'],
    ['on data', MAIL, 'sends a greeting without end'],
    ['on error', MAIL, 'resets instead of greeting'],
    ['on end', MAIL, 'hangs up instead of greeting'],
    ['on close', MAIL, 'hangs up in the middle'],
  ],
  'src/network/snmp/snmp-get.ts': [
    ['addEventListener abort', SNMP, 'stops when the round is called off'],
    ['on error', SNMP, "['garbage', 'timeout']"],
    ['callback of get', SNMP, 'says so when the name of the agent is not known'],
    ['on error', NETWORK, 'every operation fails by itself'],
  ],
  'src/network/tls/handshake-limit.ts': [
    [
      'callback of after',
      SLOW_HANDSHAKES,
      'client certificates that are slow to verify do not stall clients whose handshake was fast',
    ],
    [
      'on connection',
      SLOW_HANDSHAKES,
      'client certificates that are slow to verify do not stall clients whose handshake was fast',
    ],
    [
      'once close',
      SLOW_HANDSHAKES,
      'client certificates that are slow to verify do not stall clients whose handshake was fast',
    ],
    [
      'on secureConnection',
      SLOW_HANDSHAKES,
      'client certificates that are slow to verify do not stall clients whose handshake was fast',
    ],
    [
      'on tlsClientError',
      SLOW_HANDSHAKES,
      'client certificates that are slow to verify do not stall clients whose handshake was fast',
    ],
  ],
  'src/network/tls/handshake.ts': [
    ['on error', REQUEST, 'tells a reset from an orderly end'],
    ['once secureConnect', REQUEST, 'notices an end that came before the request'],
    ['on error', HANDSHAKE, 'an SMTP banner'],
    ['on close', HANDSHAKE, 'tells a reset from an orderly end'],
    ['on error', HANDSHAKE, 'tells a reset from an orderly end'],
    ['once end', HANDSHAKE, 'tells a reset from an orderly end'],
    ['addEventListener abort', HANDSHAKE, 'says aborted when the round is called off in the middle'],
    ['on data', HANDSHAKE, 'keeps 512 characters of a peer that talks without end'],
    ['on end', HANDSHAKE, 'tells a reset from an orderly end'],
    ['addEventListener abort', HANDSHAKE, 'from a peer that stays open'],
    ['on data', HANDSHAKE, 'keeps 512 characters of a peer that talks without end'],
    ['once end', HANDSHAKE, 'recovers a banner that comes before the hello'],
    ['once close', HANDSHAKE, 'tells a reset from an orderly end'],
    ['callback of write', HANDSHAKE, 'tells a reset from an orderly end'],
    ['callback of end', REQUEST, 'tells a reset from an orderly end'],
  ],
  'src/network/tls/served-certificate.ts': [
    ['on connection', REVOKED, 'is not let in by a handshake that it began before'],
    ['once close', REVOKED, 'is not let in by a handshake that it began before'],
    ['on secureConnection', REVOKED, 'is not let in by a handshake that it began before'],
    ['callback of beat', CERTIFICATES, 'leaves the list of before in place where the new one cannot be used'],
  ],
  'src/network/udp-exchange.ts': [
    ['callback of send', STATES, 'a packet filter that rejects'],
    ['addEventListener abort', NTP, 'ends at once when the round is called off'],
    ['on error', NETWORK, 'rejects when the port is closed'],
    ['on message', NETWORK, 'an answer cannot be read'],
    ['once connect', NETWORK, 'rejects when the kernel does not connect'],
    ['callback of after', NETWORK, 'the packet cannot be made again'],
    ['callback of bind', NETWORK, 'rejects when its source address cannot be bound'],
    ['callback of send', OWN_NETWORK, 'its packet filter drops everything'],
    ['on error', NETWORK, 'says why a single packet did not leave'],
    ['once connect', OWN_NETWORK, 'there is no route'],
  ],
  'src/logs/listen-tcp.ts': [
    ['on connection', LOG_TCP, 'turns a stranger away where all places are taken'],
    ['once close', LOG_FAILING, 'takes what a sender had said that resets the connection'],
    ['on error', STATES, 'file descriptors to spare'],
    ['once close', LOG_TLS, 'stops while a handshake is under way'],
    ['once listening', LOG_UDP, 'tells which port is taken and what to do'],
    ['on tlsClientError', LOG_TLS, 'counts what is no TLS'],
    ['on secureConnection', LOG_TLS, 'lets in senders with a certificate of the configured authority only'],
    ['once close', LOG_FAILING, 'takes what a sender had said that resets the connection'],
    ['callback of beat', LOG_TCP, 'closes a connection whose line gets no further byte'],
    ['on error', LOG_FAILING, 'takes what a sender had said that resets the connection'],
    ['on data', LOG_FAILING, 'goes on when a line cannot be read'],
    ['once close', LOG_FAILING, 'takes what a sender had said that resets the connection'],
    ['callback of after', CERTIFICATES, 'gets nobody in, and who is in has to come again'],
    ['once close', CERTIFICATES, 'gets nobody in, and who is in has to come again'],
    ['callback of setImmediate', LOG_TCP, 'keeps every one of many flooding connections moving'],
  ],
  'src/logs/listen-udp.ts': [
    ['on error', OWN_NETWORK, 'opens its UDP socket for log lines again'],
    ['callback of after', OWN_NETWORK, 'opens its UDP socket for log lines again'],
    ['callback of close', LOG_UDP, 'twice without harm'],
    ['once listening', LOG_UDP, 'tells which port is taken and what to do'],
    ['on message', LOG_FAILING, 'goes on when a line cannot be read'],
    ['callback of beat', LOG_UDP, 'counts what the kernel drops'],
  ],
  'src/logs/polling-log.ts': [
    ['callback of after', 'e2e/faults/disk.test.ts', 'that fills up costs history and log lines'],
  ],
  'src/logs/reader.ts': [['callback of setImmediate', LOG_TCP, 'goes on when a handler of events throws']],
};

function found(): Readonly<Record<string, readonly string[]>> {
  const paths = FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`),
  );
  const listeners = paths
    .filter((path) => path.endsWith('.ts'))
    .map((path) => [path, listenersIn(path, readFileSync(join(ROOT, path), 'utf8'))] as const);
  return Object.fromEntries(listeners.filter(([, names]) => names.length > 0));
}

test('finds listeners and callbacks, however they are written', () => {
  const text = `
    function onEnd(): void {}
    const guard = guarded(() => onEnd());
    socket.on('data', onEnd).once("end", onEnd);
    socket
      .prependListener(ready, () => {});
    signal.addEventListener('abort', onEnd, { once: true });
    await once(server, 'listening');
    socket.send(packet, (error) => error);
    socket.bind({ port: 0 }, guard);
    this.#socket.end(callback);
    clock.after(1, guarded(onEnd));
    setImmediate(() => onEnd());
    const item = list.find(() => true);
    fields.get(item); socket.connect(9, address); end(() => {}); lines.end;
  `;
  expect(listenersIn('a.ts', text)).toEqual([
    'on data',
    'once end',
    'prependListener ready',
    'addEventListener abort',
    'once listening',
    'callback of send',
    'callback of bind',
    'callback of end',
    'callback of after',
    'callback of setImmediate',
  ]);
});

test('every listener and callback of the network and of the log listeners is listed', () => {
  const listed = Object.entries(LISTENERS).map(([path, entries]) => [path, entries.map(([listener]) => listener)]);
  expect(Object.fromEntries(listed)).toEqual(found());
  console.info(`Looked at ${String(Object.values(found()).flat().length)} listeners and callbacks`);
});

describe('a test that makes it fail exists', () => {
  test.each(Object.entries(LISTENERS))('%s', (_, entries) => {
    const missing = entries.filter(([, file, name]) => !readFileSync(join(ROOT, 'test', file), 'utf8').includes(name));
    expect(missing).toEqual([]);
  });
});
