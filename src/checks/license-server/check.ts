import type { Declaration } from '../declaration.ts';
import { LICENSE_SERVER_CAUSES, type LicenseServerCause } from './causes.ts';
import { judgeHttp } from './judge.ts';

export const licenseServer: Declaration<'license-server', LicenseServerCause> = {
  id: 'license-server',
  title: 'Licence server',
  dependsOn: ['tls-genuine'],
  explainedBy: [],
  causes: LICENSE_SERVER_CAUSES,
  unknownRemedy:
    'Let the HTTP request of this machine reach the licence server: a proxy or a filter on the way may swallow the ' +
    'answer.',
  onPath: true,
  place: { kind: 'stop', stop: 'license-server' },
  step: 'license-server',
  from: 'target',
  judge: ({ path }) => {
    const answered = path.endpoints.filter(({ http }) => http !== null);
    return answered.length === 0 ? null : judgeHttp(answered);
  },
  summary: () => 'The licence server answers',
};
