import type { Declaration } from '../declaration.ts';
import { INTERNET_CAUSES, type InternetCause } from './causes.ts';
import { judgeInternet } from './judge.ts';

export const internet: Declaration<'internet', InternetCause> = {
  id: 'internet',
  title: 'Internet',
  dependsOn: [],
  explainedBy: [],
  causes: INTERNET_CAUSES,
  unknownRemedy: 'Give this machine a way to at least one of "controlHosts", or name hosts there that it may reach.',
  onPath: true,
  isWayOut: true,
  place: { kind: 'stop', stop: 'internet' },
  step: 'connect',
  from: 'round',
  judge: ({ round, answered }) => judgeInternet(round, answered),
};
