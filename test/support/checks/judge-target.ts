import type { Declaration, TargetFacts } from '../../../src/checks/check.ts';
import { NO_OTHER_NAMES } from '../../../src/checks/name-resolution/other-names.ts';
import type { Finding } from '../../../src/engine/model.ts';
import { publicRootsOf } from '../certificates/chains.ts';
import { freshKnowledge } from '../certificates/tls-knowledge.ts';
import { path } from './observed.ts';

/** Returns a check's findings about a target. By default, nothing was observed. */
export function judgeTarget(check: Declaration, facts: Partial<TargetFacts>): readonly Finding[] {
  if (check.from !== 'target') throw new Error(`The check "${check.id}" does not evaluate targets`);
  const trust = { pins: [], anchors: [], publicRoots: publicRootsOf() };
  const nothing: TargetFacts = {
    path: path({ endpoints: [] }),
    port: 443,
    licenseServer: null,
    tls: { endpoints: [], worst: null },
    knowledge: freshKnowledge({ trust, now: 0 }),
    surroundings: { controls: [], now: 0 },
    controlHosts: { accepting: 0, refusing: 0, tried: 0 },
    roundTrips: new Map(),
    otherNames: NO_OTHER_NAMES,
  };
  return check.judge({ ...nothing, ...facts }) ?? [];
}
