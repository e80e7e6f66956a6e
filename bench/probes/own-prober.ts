/**
 * A program that runs the probes of ftm-watch as the daemon does, observing and judging, in a separate process so
 * that the operating system can report their cost. It answers the first message when it is ready, and each further
 * message with the work done.
 */
import { judgeHttp } from '../../src/checks/license-server/judge.ts';
import { configOf } from '../../test/support/config/config-of.ts';
import { systemClock } from '../../src/system/clock.ts';
import { judgeDns } from '../../src/checks/name-resolution/judge.ts';
import { NO_OTHER_NAMES } from '../../src/checks/name-resolution/other-names.ts';
import { judgeTcp } from '../../src/checks/reachability/judge.ts';
import { judgeMail } from '../../src/checks/mail/judge.ts';
import { judgeTlsPath } from '../../src/checks/tls-genuine/judge-path.ts';
import { licenseTarget, observeAnyAddress, type PathTarget, serviceTarget } from '../../src/round/path.ts';
import { createInstruments, type RoundTools as Instruments, roundTools } from '../../src/round/instruments.ts';
import { observeMailServer } from '../../src/round/mail.ts';
import type { Finding } from '../../src/engine/model.ts';
import { bareHandshake, bareRequest } from './floor.ts';
import type { FloorKind, ProbeKind } from './kinds.ts';

/** The first message. */
export interface ProberSettings {
  /** The configuration, as YAML. */
  readonly configuration: string;
}

/** Every other message: a load of one kind, with a concurrency and a duration. */
export interface ProbeLoad {
  readonly kind: ProbeKind | FloorKind;
  readonly concurrency: number;
  readonly milliseconds: number;
}

export interface ProbeLoadDone {
  readonly probes: number;
  /** The first problem; null if there was none. */
  readonly problem: string | null;
}

type Look = () => Promise<readonly Finding[]>;

const NEVER = new AbortController().signal;

function pathLook(look: Instruments, target: PathTarget): Look {
  return async () => {
    const path = await observeAnyAddress(target, look);
    const tls = judgeTlsPath(path, look.knowledge.of(path.subject), { controls: [], now: systemClock.now() });
    const answered = path.endpoints.filter(({ http }) => http !== null);
    return [
      ...judgeTcp(path.endpoints, []),
      ...(tls.worst?.findings ?? []),
      ...(answered.length === 0 ? [] : judgeHttp(answered, [])),
      ...(path.endpoints.length === 1 && path.endpoints[0]?.[target.depth] !== null ? [] : [incomplete(target.depth)]),
    ];
  };
}

function incomplete(what: string): Finding {
  return {
    rule: 'bench',
    subject: what,
    claim: 'It was not looked at.',
    expected: 'it was looked at',
    actual: 'it was not',
    level: 'broken',
    suggests: null,
  };
}

function dnsLook({ config, limiter, askName, ctx }: Instruments): Look {
  const [resolver] = config.resolvers;
  if (resolver === undefined) throw new Error('Cannot look up names without a resolver');
  const { port, expectedAddresses } = config.licenseServer;
  return async () => {
    const seen = await limiter.run(() => askName('fortitokenmobile.fortinet.com', resolver, ctx), NEVER);
    const { findings, addresses } = judgeDns({
      name: seen.name,
      port,
      expectedAddresses,
      observations: [seen],
      others: NO_OTHER_NAMES,
      relays: [],
    });
    return addresses.length === 0 ? [...findings, incomplete('dns')] : findings;
  };
}

function mailLook(look: Instruments): Look {
  const [server] = look.config.mail;
  if (server === undefined) throw new Error('Cannot rehearse mail without a server');
  return async () =>
    judgeMail(await look.limiter.run(() => observeMailServer(server, look), NEVER), { fromAppliance: false });
}

function looksOf(look: Instruments): Readonly<Record<ProbeKind | FloorKind, Look>> {
  const { config } = look;
  const [service] = config.services;
  if (service === undefined) throw new Error('Cannot look at a server with an RSA key: expected it as a service');
  const [ecdsa, rsa] = [licenseTarget(config), serviceTarget(service, config)];
  return {
    dns: dnsLook(look),
    tcp: pathLook(look, { ...ecdsa, depth: 'tcp' }),
    'tls-rsa': pathLook(look, { ...rsa, depth: 'tls' }),
    'tls-ecdsa': pathLook(look, { ...ecdsa, depth: 'tls' }),
    'https-rsa': pathLook(look, rsa),
    'https-ecdsa': pathLook(look, ecdsa),
    mail: mailLook(look),
    'floor-tls-rsa': () => bareHandshake(rsa),
    'floor-tls-ecdsa': () => bareHandshake(ecdsa),
    'floor-https-rsa': () => bareRequest(rsa),
    'floor-https-ecdsa': () => bareRequest(ecdsa),
  };
}

async function carry(look: Look, { concurrency, milliseconds }: ProbeLoad): Promise<ProbeLoadDone> {
  const end = performance.now() + milliseconds;
  let probes = 0;
  let problem: string | null = null;
  async function one(): Promise<void> {
    while (performance.now() < end && problem === null) {
      const wrong = (await look()).find(({ level }) => level !== 'note');
      if (wrong !== undefined) problem = `${wrong.rule}: ${wrong.actual}`;
      probes += 1;
    }
  }
  await Promise.all(Array.from({ length: concurrency }, one));
  return { probes, problem };
}

process.once('message', ({ configuration }: ProberSettings) => {
  void (async () => {
    const config = await configOf(configuration);
    const looks = looksOf(roundTools(await createInstruments(config, { clock: systemClock, env: {} }), NEVER));
    process.on('message', (load: ProbeLoad) => {
      void (async () => process.send?.(await carry(looks[load.kind], load)))();
    });
    process.send?.('ready');
  })();
});
process.once('disconnect', () => process.exit());
