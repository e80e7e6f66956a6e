import type { ConnectionFault } from '../../../src/checks/intermittent/sampling.ts';
import { nameResolution } from '../../../src/checks/name-resolution/judge.ts';
import { ANOTHER_SERVER, INCOMPLETE_PUBLIC_CHAIN } from '../../../src/checks/tls-genuine/causes.ts';
import type { Step } from '../../../src/engine/model.ts';
import { judgeTarget } from './judge-target.ts';
import { path } from './observed.ts';
import { intermittentFinding, RESET } from './sampled.ts';

const ADDRESS = '192.0.2.9';
const LICENSE_SERVER = {
  host: 'license.example.test',
  port: 443,
  path: '/',
  family: 6,
  proxy: null,
  serverName: null,
  expectedAddresses: [],
} as const;

function intermittentAt(stage: ConnectionFault['stage']): readonly Step[] {
  return intermittentFinding({ [ADDRESS]: '.x.x.x.x.x.x.x.x.x.x' }, { ...RESET, stage }).advice?.remedy ?? [];
}

function withoutFamily(): readonly Step[] {
  const reply = { kind: 'answer', rcode: 'NOERROR', cnames: [], ttlSeconds: 60, durationMs: 3, attempts: 1 } as const;
  const a = { ...reply, addresses: ['173.243.138.84'] };
  const names = [{ resolver: 'system', name: LICENSE_SERVER.host, a, aaaa: { ...reply, addresses: [] } }];
  const facts = { path: path({ host: LICENSE_SERVER.host, names }), licenseServer: LICENSE_SERVER };
  return judgeTarget(nameResolution, facts).flatMap(({ advice }) => advice?.remedy ?? []);
}

/** Remedies with commands that judges add and that replace the catalogue's, with their names. */
export const ADVISED_STEPS: readonly (readonly [name: string, steps: readonly Step[]])[] = [
  ['is intermittent at the port', intermittentAt('reachability')],
  ['is intermittent at TLS', intermittentAt('tls-genuine')],
  ['no address of the family', withoutFamily()],
  ['another server answers', ANOTHER_SERVER.remedy],
  ['the public authority was not sent', INCOMPLETE_PUBLIC_CHAIN.remedy],
];
