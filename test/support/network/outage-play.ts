import { setTimeout } from 'node:timers/promises';

import { INTERMITTENT_RULE } from '../../../src/checks/intermittent/finding.ts';
import { createIdentity } from '../../../src/demo/lab/identity.ts';
import { filter } from './gateway-filters.ts';
import { type InspectedSite, LICENSE_ADDRESS } from './inspected-site.ts';
import type { SiteDaemon } from '../process/site-daemon.ts';

const SECOND = 1_000;
export const TO_LICENSE_SERVER: string = `iifname inside ip daddr ${LICENSE_ADDRESS} tcp dport 443`;

const AUTHORITY = await createIdentity({
  name: 'C=US, ST=California, L=Sunnyvale, O=Fortinet, OU=Certificate Authority, CN=FG100FTK20012345',
  authority: true,
  key: 'RSA-2048',
});

/** Faults of the gateway, each active until disposal. */
const FAULTS = {
  drop: (site: InspectedSite) => Promise.resolve(filter(site, `${TO_LICENSE_SERVER} drop`)),
  refuse: (site: InspectedSite) => Promise.resolve(filter(site, `${TO_LICENSE_SERVER} reject with tcp reset`)),
  cut: (site: InspectedSite) =>
    Promise.resolve(filter(site, `${TO_LICENSE_SERVER} meta length > 300 reject with tcp reset`)),
  inspect: (site: InspectedSite) => site.inspect({ authority: AUTHORITY, policy: ['ssl_bump bump all'] }),
} as const satisfies Record<string, (site: InspectedSite) => Promise<Disposable | AsyncDisposable>>;

type Fault = keyof typeof FAULTS;

/** A fault, its duration and the pause after it, in seconds. */
export type Step = readonly [fault: Fault, lasts: number, gone: number];

export interface Outage {
  readonly fault: Fault;
  readonly began: number;
  readonly ended: number;
}

export interface Sample {
  /** Time of the request. */
  readonly at: number;
  readonly ready: string;
  /** Time of the round in the answer. */
  readonly roundAt: number;
  readonly isIntermittent: boolean;
}

/** Polls the daemon continuously until disposal. */
export function follow(daemon: SiteDaemon): AsyncDisposable & { readonly samples: readonly Sample[] } {
  const samples: Sample[] = [];
  const end = new AbortController();
  const following = (async () => {
    while (!end.signal.aborted) {
      const status = await daemon.status();
      if (status !== null) {
        const rules = status.preconditions.flatMap(({ findings }) => findings.map(({ rule }) => rule));
        const [at, roundAt] = [Date.now(), Date.parse(status.at)];
        samples.push({ at, roundAt, ready: status.ready, isIntermittent: rules.includes(INTERMITTENT_RULE) });
      }
      await setTimeout(250);
    }
  })();
  return {
    samples,
    [Symbol.asyncDispose]: () => {
      end.abort();
      return following;
    },
  };
}

/** Plays the faults one after the other. */
export async function play(site: InspectedSite, steps: readonly Step[]): Promise<readonly Outage[]> {
  const outages: Outage[] = [];
  for (const [fault, lasts, gone] of steps) {
    await using stack = new AsyncDisposableStack();
    stack.use(await FAULTS[fault](site));
    const began = Date.now();
    await setTimeout(lasts * SECOND);
    const ended = Date.now();
    await stack.disposeAsync();
    outages.push({ fault, began, ended });
    await setTimeout(gone * SECOND);
  }
  return outages;
}
