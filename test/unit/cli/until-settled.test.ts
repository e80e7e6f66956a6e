import { describe, expect, test } from 'vitest';
import { CHECKS, type FaultId } from '../../../src/checks/registry.ts';
import { unconfirmedIn, untilSettled } from '../../../src/cli/examine.ts';
import type {
  CloserLook,
  DnsReply,
  EndpointObservation,
  HttpOutcome,
  TcpOutcome,
  TlsOutcome,
} from '../../../src/core/observation.ts';
import type { PathObservation } from '../../../src/core/round.ts';
import { diagnose } from '../../../src/engine/diagnose.ts';
import type { RoundResult } from '../../../src/checks/round-result.ts';
import { CONTEXT, finding, judgedRound, type Special } from '../../support/checks/judged-round.ts';
import { endpoint, failed, path, round } from '../../support/checks/observed.ts';

type Seen = 'nothing' | 'mail' | 'port' | 'resolver' | 'blind';
type DnsSilence = Exclude<DnsReply, { readonly kind: 'answer' }>;

const FOUND: Readonly<Record<Seen, readonly Special[]>> = {
  nothing: [],
  mail: [['mail', [finding('mail-unreachable')]]],
  port: [['reachability', [finding('egress-blocked')]]],
  resolver: [['name-resolution', [finding('resolver-unreachable')]]],
  blind: [['name-resolution', [], 'unjudged']],
};

function examination(seen: Seen): RoundResult {
  const probed = judgedRound(...FOUND[seen]);
  return {
    diagnosis: diagnose(probed, CONTEXT),
    observations: round(),
    targets: [],
  };
}

interface Settled {
  readonly made: number;
  readonly result: RoundResult;
}

/** Returns the result when each check takes `seconds` and shows the next of these faults, repeating the last one. */
async function settled(seconds: number, ...shown: readonly Seen[]): Promise<Settled> {
  let [made, now] = [0, 0];
  const look = (): Promise<RoundResult> => {
    const seen = shown[Math.min(made, shown.length - 1)] ?? 'nothing';
    made += 1;
    now += seconds * 1000;
    return Promise.resolve(examination(seen));
  };
  const tools = {
    needsAnotherRound: () => false,
    clock: { elapsed: () => now },
    signal: new AbortController().signal,
  };
  const result = await untilSettled(look, tools);
  return { made, result };
}

async function looks(seconds: number, ...shown: readonly Seen[]): Promise<number> {
  return (await settled(seconds, ...shown)).made;
}

describe('untilSettled()', () => {
  test.each([
    { name: 'one where everything works', shown: ['nothing'], expected: 1 },
    { name: 'two where both show the same', shown: ['port'], expected: 2 },
    { name: 'two where a fault is gone', shown: ['port', 'nothing'], expected: 2 },
    { name: 'three where the second shows another fault', shown: ['port', 'mail'], expected: 3 },
    { name: 'three of a silent resolver that was asked for a name or two', shown: ['resolver'], expected: 3 },
    { name: 'four where each shows another fault', shown: ['port', 'mail', 'port', 'mail'], expected: 4 },
  ] as const)('makes $name', async ({ shown, expected }) => {
    expect(await looks(1, ...shown)).toBe(expected);
  });

  test.each<{ readonly name: string; readonly shown: readonly Seen[]; readonly expected: readonly string[] }>([
    { name: 'shown twice', shown: ['resolver', 'resolver', 'blind'], expected: ['resolver-unreachable'] },
    {
      name: 'shown twice with a blind look between',
      shown: ['resolver', 'blind', 'resolver', 'blind'],
      expected: ['resolver-unreachable'],
    },
    { name: 'shown once', shown: ['resolver', 'blind'], expected: [] },
    { name: 'that was over in the last look that saw', shown: ['resolver', 'nothing'], expected: [] },
  ])('lets no look that could not judge take back what was $name', async ({ shown, expected }) => {
    const { result } = await settled(1, ...shown);
    expect(result.diagnosis.causes.map(({ id }) => id)).toEqual(expected);
  });

  test.each([
    { seconds: 7.5, expected: 3 },
    { seconds: 7.6, expected: 2 },
    { seconds: 14.5, expected: 2 },
    { seconds: 60, expected: 2 },
  ])('begins no third look after 15 s: $expected of $seconds s', async ({ seconds, expected }) => {
    expect(await looks(seconds, 'port', 'mail', 'port', 'mail')).toBe(expected);
  });
});

describe('untilSettled() when the time is over', () => {
  /** Returns the result when the time runs out during the last of these checks. */
  async function cutShort(...shown: readonly Seen[]): Promise<RoundResult> {
    const time = new AbortController();
    let made = 0;
    const look = (): Promise<RoundResult> => {
      const seen = shown[made] ?? 'nothing';
      made += 1;
      if (made === shown.length) time.abort();
      return Promise.resolve(examination(seen));
    };
    return untilSettled(look, {
      needsAnotherRound: () => true,
      clock: { elapsed: () => 0 },
      signal: time.signal,
    });
  }

  test.each<readonly [readonly Seen[], readonly string[]]>([
    [['port'], ['egress-blocked']],
    [['port', 'blind'], ['egress-blocked']],
    [['port', 'mail'], ['egress-blocked']],
    [['mail', 'port', 'blind'], ['egress-blocked']],
    [['nothing', 'port'], []],
  ])('%j: the look that was cut short counts only where there is no other', async (shown, causes) => {
    expect((await cutShort(...shown)).diagnosis.causes.map(({ id }) => id)).toEqual(causes);
  });
});

describe('unconfirmedIn()', () => {
  const SILENT = failed('timeout');
  const REFUSED = failed('refused');
  const handshake = (more: object): TlsOutcome => ({
    ...SILENT,
    serverName: 'server.test',
    alert: null,
    chain: null,
    plaintext: null,
    ...more,
  });
  const endpointWith = (more: Partial<EndpointObservation>): PathObservation =>
    path({ endpoints: [{ ...endpoint('192.0.2.1'), ...more }] });
  const closer = (again: TlsOutcome | null): CloserLook => ({
    address: '192.0.2.1',
    again,
    otherName: null,
    refusable: null,
    controls: [],
  });
  const silentTls = endpointWith({ tls: handshake({}) });
  const names = (reason: 'timeout' | 'refused'): PathObservation => {
    const reply: DnsSilence = { ...failed(reason), attempts: 1 };
    return path({ names: [{ resolver: 'udp://192.0.2.53:53', name: 'server.test', a: reply, aaaa: reply }] });
  };

  const again = (more: object): PathObservation => ({ ...silentTls, closer: closer(handshake(more)) });
  const shut = (tcp: TcpOutcome): PathObservation => endpointWith({ tcp });
  const answering = (http: HttpOutcome): PathObservation => endpointWith({ http });
  const cut = endpointWith({ tls: handshake({ reason: 'reset' }) });
  test.each<readonly [string, FaultId, PathObservation, boolean]>([
    ['a port that was silent', 'egress-blocked', shut(SILENT), true],
    ['a port that was refused', 'egress-blocked', shut(REFUSED), false],
    ['a silent resolver', 'resolver-unreachable', names('timeout'), true],
    ['a resolver that refuses', 'resolver-unreachable', names('refused'), false],
    ['a silent handshake', 'tls-blocked', silentTls, true],
    ['a silent handshake, and again', 'tls-blocked', again({}), false],
    ['and again for a second until the end', 'tls-blocked', again({ reason: 'aborted', durationMs: 1000 }), false],
    ['and again for a moment until the end', 'tls-blocked', again({ reason: 'aborted', durationMs: 999 }), true],
    ['a handshake that was cut', 'tls-blocked', cut, false],
    ['an answer that did not come', 'license-server-down', answering(SILENT), true],
    ['an error', 'license-server-down', answering(REFUSED), false],
    ['an uplink', 'internet-unreachable', path(), true],
    ['a mail server', 'mail-unreachable', shut(SILENT), false],
  ])('%s', (_, cause, licenseServer, isOpen) => {
    const probed = judgedRound(
      ...CHECKS.filter(({ causes }) => Object.hasOwn(causes, cause)).map(({ id }): Special => [id, [finding(cause)]]),
    );
    const once: RoundResult = {
      diagnosis: diagnose(probed, CONTEXT),
      observations: round({ licenseServer }),
      targets: [],
    };
    const told = (...looks: readonly RoundResult[]): readonly string[] =>
      unconfirmedIn(once, looks).map(({ id }) => id);
    expect(told(once)).toEqual(isOpen ? [cause] : []);
    expect(told(once, examination('nothing'))).toEqual(isOpen ? [cause] : []);
    // Lost packets can silence a resolver for two rounds.
    const isOfResolver = cause === 'resolver-unreachable';
    expect(told(once, once)).toEqual(isOpen && isOfResolver ? [cause] : []);
    expect(told(once, once, once)).toEqual([]);
  });

  test('leaves alone what no probe looks at', () => {
    const probed = judgedRound(['appliance', [finding('appliance-unreachable', { subject: 'fac-1' })]]);
    const seen = { diagnosis: diagnose(probed, CONTEXT), observations: round(), targets: [] };
    expect(unconfirmedIn(seen, [seen])).toEqual([]);
  });
});
