import type { Lab } from '../../../src/demo/lab/lab.ts';
import { LICENSE_HOST, SERIALS } from '../../../src/demo/lab/site.ts';

/** A fault that is shown at exactly one stop of the route map. */
export interface StopFault {
  readonly stop: string;
  readonly begin: (lab: Lab) => Promise<void> | void;
  readonly end: (lab: Lab) => Promise<void> | void;
}

const INSPECTION: StopFault = {
  stop: 'Firewall',
  begin: (lab) => lab.inspect(true),
  end: (lab) => lab.inspect(false),
};

const NO_NAME: StopFault = {
  stop: 'Resolver',
  begin: ({ resolver }) => {
    resolver.setFault(LICENSE_HOST, { kind: 'not-found' });
  },
  end: ({ resolver }) => {
    resolver.setFault(LICENSE_HOST, { kind: 'none' });
  },
};

const SERVER_DOWN: StopFault = {
  stop: 'Licence server',
  begin: ({ licenseServer }) => {
    licenseServer.setFault({ kind: 'status', status: 503 });
  },
  end: ({ licenseServer }) => {
    licenseServer.setFault({ kind: 'none' });
  },
};

/** All licensed tokens are in use. */
const NO_TOKENS: StopFault = {
  stop: 'FortiAuthenticator',
  begin: ({ appliance: { state } }) => {
    state.tokens = state.tokens.map((group) => ({ ...group, status: 'assigned' }));
  },
  end: ({ appliance: { state } }) => {
    state.tokens = state.tokens.map((group, index) => (index === 1 ? group : { ...group, status: 'available' }));
  },
};

const RELAYING_DENIED: StopFault = {
  stop: 'Mail',
  begin: ({ mail }) => {
    mail.setFault('refuse-recipient');
  },
  end: ({ mail }) => {
    mail.setFault('none');
  },
};

const LICENSE_ON_PEER: StopFault = {
  stop: 'Registration',
  begin: (lab) => {
    lab.register(SERIALS.peer);
  },
  end: (lab) => {
    lab.register(SERIALS.unit);
  },
};

/**
 * Ends on its own with the lab's window. Within a minute after any other fault, it would be explained by that fault.
 */
const COMPLAINT: StopFault = {
  stop: 'Polling',
  begin: ({ applianceLog }) => applianceLog.say('FTM polling error: problem with SSL comm layer'),
  end: () => undefined,
};

export const STOP_FAULTS: readonly StopFault[] = [
  COMPLAINT,
  INSPECTION,
  NO_NAME,
  SERVER_DOWN,
  NO_TOKENS,
  RELAYING_DENIED,
  LICENSE_ON_PEER,
];
