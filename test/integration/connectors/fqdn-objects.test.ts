import { afterAll, describe, expect, it } from 'vitest';
import { judgePolicies } from '../../support/checks/judged-policy.ts';
import { type FirewallState, FQDNS_PATH } from '../../../src/demo/lab/firewall.ts';
import { createFirewallBench, TARGET } from '../../support/connectors/firewall-bench.ts';

const bench = await createFirewallBench();
afterAll(() => bench[Symbol.asyncDispose]());

const OTHER = { fqdn: 'www.example.org', addrs: [] };
const RESOLVED = { fqdn: 'FortiTokenMobile.fortinet.com', addrs: ['173.243.138.84', '173.243.138.85'] };
const EMPTY = { fqdn: TARGET.host, addrs: [] };

async function seen(state: Partial<FirewallState>) {
  await using firewall = await bench.start(state);
  const observation = await bench.observe(firewall);
  return {
    objects: observation.kind === 'ok' ? observation.fqdnObjects : null,
    findings: judgePolicies([observation]).map(({ level, kind, claim }) => [level, kind, claim]),
  };
}

describe.each([
  ['a list', false],
  ['a mapping from names', true],
])('the FQDN objects of a FortiGate, as %s', (_, fqdnsByName) => {
  it('are those of the licence server, with what they resolve to', async () => {
    const { objects, findings } = await seen({ fqdnsByName, fqdnObjects: { other: OTHER, ftm: RESOLVED } });
    expect(objects).toEqual([{ name: 'ftm', resolves: true }]);
    expect(findings).toEqual([]);
  });

  it('that resolve to nothing are noted while a policy matches', async () => {
    const { objects, findings } = await seen({ fqdnsByName, fqdnObjects: { ftm: EMPTY } });
    expect(objects).toEqual([{ name: 'ftm', resolves: false }]);
    expect(findings).toEqual([['note', undefined, 'The firewall cannot resolve its address object "ftm".']]);
  });

  it('that resolve to nothing are told where no policy matches', async () => {
    const { findings } = await seen({ fqdnsByName, fqdnObjects: { ftm: EMPTY }, matches: 0 });
    expect(findings).toEqual([
      [
        'broken',
        'fqdn-unresolved',
        'No policy allows the connection from port2 to wan1, so the implicit deny policy drops it.',
      ],
      ['note', undefined, 'The firewall cannot resolve its address object "ftm".'],
    ]);
  });
});

it('says nothing of FQDN objects that the token may not read', async () => {
  expect(await seen({ fqdnObjects: null })).toEqual({ objects: [], findings: [] });
});

it('keeps what it knows of the policy where the question after FQDN objects fails', async () => {
  await using firewall = await bench.start({ fqdnObjects: { ftm: EMPTY } });
  firewall.setFault({ kind: 'body', body: 'no JSON' }, FQDNS_PATH);
  expect(await bench.observe(firewall)).toMatchObject({ kind: 'ok', match: { kind: 'policy' }, fqdnObjects: [] });
});
