import { beforeAll, describe, expect, test } from 'vitest';
import { diagnose } from '../../../../src/engine/diagnose.ts';
import { createSignatureChecks } from '../../../../src/tls/chain.ts';
import type { PathObservation } from '../../../../src/core/round.ts';
import { createFlawMemory } from '../../../../src/checks/tls-genuine/chain-case.ts';
import { createOpensslWords, judgeTlsPath, type JudgedTlsPath } from '../../../../src/checks/tls-genuine/judge-path.ts';
import type { Identity } from '../../../../src/demo/lab/identity.ts';
import { chainOf, established } from '../../../support/certificates/chains.ts';
import { createWorld, HOST, TARGET, type World } from '../../../support/certificates/interception-world.ts';
import { CONTEXT, round } from '../../../support/checks/judged-round.ts';
import { endpoint, open } from '../../../support/checks/observed.ts';

const A = '173.243.138.84';
const B = '173.243.138.85';
const V6 = '2001:db8::84';

let world: World;
let genuine: readonly Identity[];
let forged: readonly Identity[];
let elsewhere: Identity;

beforeAll(async () => {
  world = await createWorld();
  genuine = [world.server, world.genuine.sub];
  forged = [await world.leaf(world.corporate.sub), world.corporate.sub, world.corporate.root];
  elsewhere = await world.leafFor('www.iana.org', world.corporate.sub);
});

/** Judges these chains while the control host is inspected too. */
function judge(chains: Readonly<Record<string, readonly Identity[]>>): JudgedTlsPath {
  const endpoints = Object.entries(chains).map(([address, chain]) => {
    const tls = established(...chain);
    return { ...endpoint(address, open()), tls: { ...tls, serverName: HOST } };
  });
  const path: PathObservation = { subject: TARGET, host: HOST, names: [], endpoints, references: [] };
  const { trust, ...rest } = world.evidence({});
  const checks = createSignatureChecks();
  const controls = [
    { target: 'www.iana.org:443', chain: chainOf(elsewhere, world.corporate.sub, world.corporate.root) },
  ];
  return judgeTlsPath(
    path,
    {
      ...rest,
      trust,
      checks,
      refusedBaseline: null,
      flaws: createFlawMemory(null),
      openssl: createOpensslWords({ now: () => world.now }),
    },
    { controls, now: world.now },
  );
}

function told(chains: Readonly<Record<string, readonly Identity[]>>): readonly string[] {
  const { causes } = diagnose(round(['tls-genuine', judge(chains).worst?.findings ?? []]), CONTEXT);
  return causes.map(({ id, severity, summary }) => `${severity} ${id}: ${summary}`);
}

describe('several addresses of which one is inspected', () => {
  test('names the one that is bad and the one that is clean', () => {
    expect(told({ [A]: forged, [B]: genuine })).toEqual([
      expect.stringMatching(
        /^critical tls-intercepted: .* This affects 173\.243\.138\.84, but not 173\.243\.138\.85\.$/u,
      ),
    ]);
  });

  test('IPv6 alone is a warning', () => {
    expect(told({ [A]: genuine, [V6]: forged })).toEqual([
      expect.stringMatching(/^warning tls-intercepted: .* This affects 2001:db8::84, but not 173\.243\.138\.84\.$/u),
    ]);
    expect(judge({ [A]: genuine, [V6]: forged }).worst?.verdict).toBe('genuine');
  });

  test('IPv4 alone is critical', () => {
    expect(told({ [A]: forged, [V6]: genuine })).toEqual([
      expect.stringMatching(/^critical tls-intercepted: .* This affects 173\./u),
    ]);
  });

  test('where all are, none is told apart', () => {
    expect(told({ [A]: forged, [V6]: forged })).toEqual([expect.not.stringContaining('This affects')]);
  });
});
