import type { CauseId } from '../../src/checks/registry.ts';
import { PLAIN_POLICY } from '../../src/demo/lab/firewall.ts';
import { LOGINS } from './configuration.ts';
import type { Fault, Finder } from './faults.ts';
import { LICENSE, SERIALS } from './site.ts';
import { HEALTHY_TOKENS, register, type World } from './world.ts';

type Acts = Pick<Fault, 'begin' | 'end'>;

function found(finder: Finder, cause: CauseId, acts: Acts & Partial<Fault>): Fault {
  return { name: cause, cause, finder, isTold: true, isNoticed: false, ...acts };
}

function onAppliance(
  change: (state: World['appliance']['state']) => void,
  back: (state: World['appliance']['state']) => void,
): Acts {
  return {
    begin: ({ appliance }) => {
      change(appliance.state);
    },
    end: ({ appliance }) => {
      back(appliance.state);
    },
  };
}

function tokens(available: number, total = 32): Acts {
  return onAppliance(
    (state) => {
      state.tokens = [
        ...(available === 0 ? [] : [{ count: available, status: 'available', license: LICENSE }]),
        { count: total - available, status: 'assigned', license: LICENSE },
      ];
    },
    (state) => {
      state.tokens = HEALTHY_TOKENS;
    },
  );
}

function holder(serial: string | null): Acts {
  return {
    begin: (world) => {
      register(world, serial);
    },
    end: (world) => {
      register(world, SERIALS.unit);
    },
  };
}

const COMPLAINT = 'FTM polling error: unexpected answer (500)';

export const API_FAULTS: readonly Fault[] = [
  // Neither its API nor its log can be seen.
  found('appliance', 'appliance-unreachable', {
    begin: (world) => {
      world.appliance.setFault({ kind: 'reset' });
      world.speaking = false;
    },
    end: (world) => {
      world.appliance.setFault({ kind: 'none' });
      world.speaking = true;
    },
  }),
  found('appliance', 'appliance-unreadable', {
    begin: ({ appliance }) => {
      appliance.setFault({ kind: 'reset' });
    },
    end: ({ appliance }) => {
      appliance.setFault({ kind: 'none' });
    },
  }),
  found(
    'appliance',
    'appliance-access-denied',
    onAppliance(
      (state) => {
        state.key = 'another-key';
      },
      (state) => {
        state.key = LOGINS.appliance.key;
      },
    ),
  ),
  found('registration', 'license-on-peer', holder(SERIALS.peer)),
  found('registration', 'license-on-other-unit', holder(SERIALS.stranger)),
  found('registration', 'license-not-registered', holder(null)),
  found('appliance', 'token-count-mismatch', tokens(20, 24)),
  found('appliance', 'tokens-running-out', tokens(2)),
  found('appliance', 'tokens-exhausted', tokens(0)),
  found('appliance', 'policy-inspects-traffic', {
    begin: ({ firewall }) => {
      firewall.state.policies = {
        5: { ...PLAIN_POLICY, 'utm-status': 'enable', 'ssl-ssh-profile': 'deep-inspection' },
      };
    },
    end: ({ firewall }) => {
      firewall.state.policies = { 5: PLAIN_POLICY };
    },
  }),
  found('appliance', 'policy-missing', {
    begin: ({ firewall }) => {
      firewall.state.matches = 0;
    },
    end: ({ firewall }) => {
      firewall.state.matches = 5;
    },
  }),
  found('log', 'polling-failing', {
    begin: ({ log }) => log.say(COMPLAINT, 'error'),
    end: () => undefined,
    during: ({ log }) => log.say(COMPLAINT, 'error'),
  }),
  found('log', 'polling-failing', {
    name: 'polling-failing-in-file',
    begin: async ({ log }) => {
      await log.write(COMPLAINT, 'error');
      await log.rotate();
    },
    end: () => undefined,
    during: ({ log }) => log.write(COMPLAINT, 'error'),
  }),
  found('silence', 'appliance-silent', {
    begin: (world) => {
      world.speaking = false;
    },
    end: (world) => {
      world.speaking = true;
    },
  }),
];
