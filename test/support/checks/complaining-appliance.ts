import type { RoundFacts } from '../../../src/checks/check.ts';
import type { Diagnosis } from '../../../src/engine/model.ts';
import type { EpochMs } from '../../../src/core/clock.ts';
import { pollingReport } from '../../../src/core/polling/report.ts';
import { emptyPolling, recordEvents } from '../../../src/core/polling/state.ts';
import { isFaultId } from '../../../src/checks/registry.ts';
import { loadSignatures } from '../../../src/logs/signatures.ts';
import { conclude, NOTHING_REMEMBERED } from '../../../src/checks/conclude.ts';
import { configOf } from '../config/config-of.ts';
import { picture } from './observed.ts';

type Remembered = typeof NOTHING_REMEMBERED;

/** A FortiAuthenticator that logs connection errors, and the conclusions drawn from them. */
export interface ComplainingAppliance {
  complain(at: EpochMs): void;
  conclude(round: RoundFacts): Diagnosis;
}

export interface ApplianceWorld {
  create(): ComplainingAppliance;
}

const LINE = 'FTM polling error: connection timeout';

export async function applianceWorld(sends: 'datagrams' | 'connection'): Promise<ApplianceWorld> {
  const config = await configOf(
    'logs: { syslog: { udp: "127.0.0.1:5514" } }\nappliances: [{ name: fac-1, logSources: [10.0.0.5] }]\n',
  );
  const signatures = await loadSignatures([], isFaultId);
  const reliable = sends === 'connection';
  const { window, silentAfter } = config.logs;
  return {
    create: () => {
      let log = emptyPolling(window);
      let remembered: Remembered = NOTHING_REMEMBERED;
      return {
        complain: (at) => {
          const event = { appliance: 'fac-1', signature: 'ftm-polling-timeout', at, count: 1, line: LINE, reliable };
          log = recordEvents(log, [{ kind: 'ftm', ...event }]);
        },
        conclude: (round) => {
          const at = round.observations.startedAt;
          const spoken = recordEvents(log, [{ kind: 'heard', appliance: 'fac-1', at, reliable }]);
          const options = { window, silentAfter, appliances: ['fac-1'], signatures, listeningSince: 0 };
          const report = pollingReport(spoken, { now: at, ...options });
          const known = { config, round, picture: picture() };
          const { diagnosis, ...rest } = conclude(known, { kind: 'heard', report, unknownSenders: [], ...remembered });
          remembered = rest;
          return diagnosis;
        },
      };
    },
  };
}
