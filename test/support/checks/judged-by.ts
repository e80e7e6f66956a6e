import type { Declaration, LogFacts, RoundFacts, TargetFacts, UnitFacts } from '../../../src/checks/check.ts';
import { NO_OTHER_NAMES } from '../../../src/checks/name-resolution/other-names.ts';
import type { Finding } from '../../../src/engine/model.ts';
import { publicRootsOf } from '../certificates/chains.ts';
import { freshKnowledge } from '../certificates/tls-knowledge.ts';
import { configOf } from '../config/config-of.ts';
import { path, picture, round } from './observed.ts';
import { withPlainClaims } from './plain-claim.ts';

type Heard = Extract<LogFacts, { readonly kind: 'heard' }>;
type Facts = Partial<TargetFacts & RoundFacts & UnitFacts> & Partial<Omit<Heard, 'kind'>>;

const config = await configOf('{}');

/** Returns a check's findings about these facts, whose claims must be plain. What is not given was not observed. */
export const judgedBy = withPlainClaims((check: Declaration, facts: Facts): readonly Finding[] => {
  switch (check.from) {
    case 'target':
      return check.judge({ ...atTarget(), ...facts }) ?? [];
    case 'round':
      return check.judge({ config, round: round(), carriers: [], clock: [], answered: new Set(), ...facts }).findings;
    case 'units':
      return check.judge({ config, picture: picture(), at: 0, speaking: [], ...facts }).findings;
    case 'log': {
      const { report, preconditionOf, ...rest } = facts;
      if (report === undefined || preconditionOf === undefined) throw new Error('Expected the report of a log');
      const heard = {
        config,
        firewall: [],
        faultsSeen: [],
        lasting: [],
        unknownSenders: [],
        certificateRejections: [],
        ...rest,
      };
      return check.judge({ ...heard, kind: 'heard', report, preconditionOf }).findings;
    }
    case 'agent':
      throw new Error(`The check "${check.id}" is about the daemon itself`);
  }
});

function atTarget(): TargetFacts {
  const trust = { pins: [], anchors: [], publicRoots: publicRootsOf() };
  return {
    path: path({ endpoints: [] }),
    port: 443,
    licenseServer: null,
    tls: { endpoints: [], worst: null },
    knowledge: freshKnowledge({ trust }),
    surroundings: { controls: [], now: 0 },
    controlHosts: { accepting: 0, refusing: 0, tried: 0 },
    otherNames: NO_OTHER_NAMES,
  };
}
