import { expect, it } from 'vitest';
import { appliance } from '../../../../src/checks/appliance/judge.ts';
import type { UnitObservation } from '../../../../src/connectors/picture.ts';
import type { ApplianceObservation, HaRoleObservation } from '../../../../src/core/license/appliance.ts';
import type { FailureReason } from '../../../../src/core/observation.ts';
import { applianceFacts } from '../../../support/checks/appliance-facts.ts';
import { factsOf } from '../../../support/checks/facts.ts';
import { role } from '../../../support/checks/license-bench.ts';
import { picture } from '../../../support/checks/observed.ts';
import { configOf } from '../../../support/config/config-of.ts';

const api = { url: 'https://10.0.0.5', user: 'reader', keyEnv: 'SET_SECRET' };
const CONFIG = await configOf({ appliances: [{ name: 'fac-1', api }] });

type FindingText = Partial<Pick<UnitObservation['config'], 'serial' | 'peerSerial' | 'api'>>;
type Seen = readonly [told: FindingText, rest: ApplianceObservation | null, role?: HaRoleObservation];

function failure(reason: FailureReason): ApplianceObservation {
  return { appliance: 'fac', endpoint: '10.0.0.5:443', kind: 'failed', reason, message: 'message', durationMs: 1 };
}

function answers(serial: string, peerSerial: string | null = null): ApplianceObservation {
  return applianceFacts({ system: { serial, peerSerial } });
}

function unitsOf(...seen: readonly Seen[]): readonly UnitObservation[] {
  const [config] = CONFIG.appliances;
  if (config === undefined) throw new Error('Expected a unit');
  return seen.map(([told, rest, snmp = null], index) => {
    const name = `fac-${String(index + 1)}`;
    const named = rest?.kind === 'failed' ? { ...rest, appliance: name } : rest;
    return { config: { ...config, name, ...told }, rest: named, role: snmp };
  });
}

const A = { serial: 'FAC-A', peerSerial: 'FAC-B' };
const B = { serial: 'FAC-B' };
const SILENT = failure('timeout');
const WARNING = 'warning fac-1 peer-answers fac-2';
const CRITICAL = 'broken fac-1 -';

const member = (...seen: Seen): Seen => seen;
const first = member(A, SILENT);
const named = member(B, answers('FAC-B'));
const inPair = (told: HaRoleObservation): Seen => member(B, answers('FAC-B', 'FAC-A'), told);
const unasked = member({ ...B, api: null }, null);

it.each<readonly [string, readonly Seen[], speaking: readonly string[], expected: readonly string[]]>([
  ['the configuration names the pair', [first, named], [], [WARNING]],
  [
    'the configuration of the other one names it',
    [member({ serial: 'FAC-A' }, SILENT), member({ peerSerial: 'fac-a' }, answers('FAC-B'))],
    [],
    [WARNING],
  ],
  ['the API names it', [member({ serial: 'fac-a' }, SILENT), member({}, answers('FAC-B', 'FAC-A'))], [], [WARNING]],
  [
    'the API names a peer of unknown serial',
    [member({}, SILENT), member({}, answers('FAC-B', 'FAC-A'))],
    [],
    [WARNING],
  ],
  [
    'SNMP says cluster, of an unknown peer',
    [member({}, SILENT), member({}, answers('FAC-B'), role('cluster-primary', 'FAC-B'))],
    [],
    [WARNING],
  ],
  [
    'which of several it is, is unknown',
    [member({}, SILENT), member({}, answers('FAC-B', 'FAC-A')), member({}, SILENT)],
    [],
    [CRITICAL, 'broken fac-3 -'],
  ],
  [
    'the API of the other one refuses the key',
    [first, member(B, { appliance: 'fac-2', endpoint: '', kind: 'denied', status: 401 })],
    [],
    [WARNING, 'warning fac-2 -'],
  ],
  ['the log of the other one arrives', [first, member(B, SILENT)], ['fac-2'], [WARNING, 'warning fac-2 -']],
  ['the log of the other one, which has no API, arrives', [first, unasked], ['fac-2'], [WARNING]],
  ['the other one has no source', [first, unasked], [], [CRITICAL]],
  [
    'the other one is the standby unit',
    [first, inPair(role('cluster-secondary', 'FAC-B'))],
    [],
    ['broken fac-1 active fac-2'],
  ],
  ['the other one is the active unit', [first, inPair(role('cluster-primary', 'FAC-B'))], [], [WARNING]],
  ['the other one is silent too', [first, member(B, failure('refused'))], [], [CRITICAL, 'broken fac-2 -']],
  ['the other one was not asked yet', [first, member(B, null)], [], ['unknown fac-1 -']],
  [
    'the other one is out of reach from here',
    [first, member(B, failure('no-route'))],
    [],
    ['unknown fac-1 -', 'unknown fac-2 -'],
  ],
  ['they are no pair', [member({ serial: 'FAC-A' }, SILENT), named], [], [CRITICAL]],
  ['the other one has another peer', [first, member(B, answers('FAC-B', 'FAC-C'))], [], [CRITICAL]],
])('a unit does not answer, and %s', (_, seen, speaking, expected) => {
  const known = { config: CONFIG, picture: picture({ appliances: unitsOf(...seen) }), speaking };
  const { findings } = appliance.judge(factsOf(known));
  const told = findings
    .filter(({ level }) => level !== 'note')
    .map(({ level, subject, kind = '-', facts }) => [
      level,
      subject,
      kind,
      ...(facts?.peer === undefined ? [] : [facts.peer]),
    ]);
  expect(told.map((words) => words.join(' '))).toEqual(expected);
});
