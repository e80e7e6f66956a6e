import type { Declaration, Judgement } from '../declaration.ts';
import { judged, notConfigured, unjudged } from '../judgement.ts';
import type { UnitFacts } from '../unit-facts.ts';
import { TOKEN_POOL_CAUSES, type TokenPoolCause } from './causes.ts';
import { judgeTokenPool } from './judge.ts';

export const tokenPool: Declaration<'token-pool', TokenPoolCause> = {
  id: 'token-pool',
  title: 'Token pool',
  dependsOn: ['appliance'],
  explainedBy: [],
  causes: TOKEN_POOL_CAUSES,
  unknownRemedy: 'Give the user of appliances[].api the right to read tokens and licences.',
  place: { kind: 'stop', stop: 'fortiauthenticator' },
  from: 'units',
  sources: ['appliances'],
  judge: judgeTokens,
};

function judgeTokens({ picture: { appliances: units } }: UnitFacts): Judgement {
  if (!units.some(({ config: { api } }) => api !== null))
    return notConfigured('No REST API of a FortiAuthenticator is configured');
  if (!units.some(({ rest }) => rest?.kind === 'ok')) return unjudged('No FortiAuthenticator told its tokens');
  return judged(
    units.flatMap(({ config, rest }) => (rest === null ? [] : judgeTokenPool(rest, config))),
    'The tokens match the licence, and enough are left',
  );
}
