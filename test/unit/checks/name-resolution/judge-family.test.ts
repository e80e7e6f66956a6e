import { describe, expect, test } from 'vitest';
import type { Config } from '../../../../src/config/config.ts';
import { nameResolution } from '../../../../src/checks/name-resolution/judge.ts';
import type { DnsReply } from '../../../../src/core/observation.ts';
import type { Finding } from '../../../../src/engine/model.ts';
import { configOf } from '../../../support/config/config-of.ts';
import { judgeTarget } from '../../../support/checks/judge-target.ts';
import { path } from '../../../support/checks/observed.ts';
import { withPlainClaims } from '../../../support/checks/plain-claim.ts';

const A = '173.243.138.84';
const V6 = '2606:4700::84';
const NAT64 = '64:ff9b::adf3:8a54';

function answer(addresses: readonly string[]): DnsReply {
  return { kind: 'answer', rcode: 'NOERROR', addresses, cnames: [], ttlSeconds: 60, durationMs: 3, attempts: 1 };
}

const judgeFamily = withPlainClaims(
  (server: Config['licenseServer'], addresses: readonly string[]): readonly Finding[] => {
    const isV6 = (address: string): boolean => address.includes(':');
    const a = answer(addresses.filter((address) => !isV6(address)));
    const names = [{ resolver: 'system', name: server.host, a, aaaa: answer(addresses.filter(isV6)) }];
    const findings = judgeTarget(nameResolution, { path: path({ host: server.host, names }), licenseServer: server });
    return findings.filter(({ rule }) => rule === 'name-has-family');
  },
);

async function licenseServer(family: 'auto' | 4 | 6): Promise<Config['licenseServer']> {
  return (await configOf(JSON.stringify({ licenseServer: { host: 'license.example.test', family } }))).licenseServer;
}

describe('the family that is asked for', () => {
  test.each<readonly ['auto' | 4 | 6, readonly string[]]>([
    ['auto', [V6]],
    ['auto', [A]],
    [4, [A, V6]],
    [4, [NAT64]],
    [6, [V6]],
    // A name without any address is reported as a separate finding.
    [4, []],
  ])('%s: nothing is wrong with %j', async (family, addresses) => {
    expect(judgeFamily(await licenseServer(family), addresses)).toEqual([]);
  });

  test.each<readonly [4 | 6, readonly string[]]>([
    [4, [V6]],
    [6, [A]],
    [6, [NAT64]],
  ])('%i: the name has only %j', async (family, addresses) => {
    expect(judgeFamily(await licenseServer(family), addresses)).toMatchObject([
      {
        level: 'broken',
        suggests: 'name-not-found',
        rule: 'name-has-family',
        subject: 'license.example.test:443',
        expected: `An IPv${String(family)} address`,
      },
    ]);
  });

  test('says what to do', async () => {
    const [finding] = judgeFamily(await licenseServer(6), [A, '173.243.138.85']);
    expect(finding?.claim).toBe(`license.example.test has no IPv6 address, only ${A}, 173.243.138.85.`);
    expect(finding?.advice).toMatchObject({
      summary: '{host} has no IPv6 address, but licenseServer.family requires one.',
      remedy: [
        'If FortiAuthenticator does not use IPv6, set licenseServer.family to "auto".',
        {
          text:
            'Otherwise, query a public resolver. If only the public resolver returns an address of this ' +
            'family, your resolver filters it out.',
          commands: ['dig @9.9.9.9 {host} A', 'dig @9.9.9.9 {host} AAAA'],
        },
      ],
    });
  });
});
