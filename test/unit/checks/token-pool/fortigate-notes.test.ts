import { expect, test } from 'vitest';
import { fortigateNotes as fortigateNotesUnchecked } from '../../../../src/checks/token-pool/judge.ts';
import type { FirewallFacts, FirewallObservation } from '../../../../src/core/license/firewall.ts';
import { withPlainClaims } from '../../../support/checks/plain-claim.ts';

const fortigateNotes = withPlainClaims(fortigateNotesUnchecked);

const FLOW = {
  firewall: 'FortiGate 10.0.0.1',
  firewallHost: '10.0.0.1',
  vdom: 'root',
  appliances: [],
  source: '10.0.0.5',
  destination: 'server.test:443',
};

function holds(fortitokens: FirewallFacts['fortitokens']): FirewallObservation {
  return {
    ...FLOW,
    kind: 'ok',
    match: { kind: 'implicit-deny', incoming: null, outgoing: null },
    serial: null,
    fqdnObjects: [],
    sessions: null,
    fortitokens,
  };
}

const counted = (...counts: readonly (readonly [string, number])[]): FirewallFacts['fortitokens'] => ({
  kind: 'read',
  value: new Map(counts),
});

test.each<readonly [string, FirewallObservation, readonly (readonly [actual: string, claim: string])[]]>([
  [
    'is counted by its own words',
    holds(counted(['new', 3], ['active', 2])),
    [['3 new, 2 active', 'The FortiGate has FortiTokens: 3 new, 2 active.']],
  ],
  ['may be nothing', holds(counted()), [['none', 'The FortiGate has no FortiTokens.']]],
  [
    'is not known where it may not tell',
    holds({ kind: 'denied', message: 'HTTP 403' }),
    [['unknown: HTTP 403', 'The FortiTokens on the FortiGate could not be counted.']],
  ],
  ['is nothing to tell where it cannot hold any', holds({ kind: 'absent' }), []],
  ['is nothing to tell where it was not asked', holds(null), []],
  ['is nothing to tell where it refuses to talk', { ...FLOW, kind: 'denied', status: 403 }, []],
])('what a FortiGate holds %s', (_, seen, actual) => {
  expect(fortigateNotes([seen])).toEqual(
    actual.map(([text, claim]) => ({
      rule: 'fortigate-tokens-counted',
      subject: FLOW.firewall,
      expected: 'the FortiTokens on the FortiGate',
      claim,
      actual: text,
      ...(text.startsWith('unknown') ? { quote: 'HTTP 403' } : {}),
      level: 'note',
      suggests: null,
      facts: { firewall: FLOW.firewall },
    })),
  );
});
