import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FirewallConfig } from '../../../src/config/schema/watched.ts';
import type { ConnectorContext } from '../../../src/network/rest/json-exchange.ts';
import { observeFirewall } from '../../../src/connectors/firewall.ts';
import type { FirewallObservation } from '../../../src/core/firewall.ts';
import { judgePolicies } from '../checks/judged-policy.ts';
import { createFirewall, type Firewall, type FirewallState } from '../../../src/demo/lab/firewall.ts';
import { createIdentity } from '../../../src/demo/lab/identity.ts';
import { connectorContext } from './connector-context.ts';

const ENV = { TOKEN: 'api-token', WRONG: 'other-token' };

/** The licence server for which the policy is looked up. */
export const TARGET = {
  host: 'fortitokenmobile.fortinet.com',
  port: 443,
  expectedAddresses: ['173.243.138.84', '173.243.138.0/24', '2001:db8:173::84'],
};

/** Firewalls with one identity, and the file for verifying their certificate. */
export interface FirewallBench extends AsyncDisposable {
  start(state?: Partial<FirewallState>): Promise<Firewall>;
  /** Observes a firewall with a working configuration, with some of its keys replaced. */
  observe(
    firewall: Firewall,
    more?: Partial<FirewallConfig>,
    context?: Partial<ConnectorContext>,
  ): Promise<FirewallObservation>;
}

export async function createFirewallBench(): Promise<FirewallBench> {
  const folder = await mkdtemp(join(tmpdir(), 'firewall-'));
  const identity = await createIdentity({ name: 'CN=firewall.example.test', ipAddresses: ['127.0.0.1'] });
  const caFile = join(folder, 'ca.pem');
  await writeFile(caFile, identity.pem);
  return {
    start: (state = {}) => createFirewall({ identity, state }),
    observe: (firewall, more = {}, context = {}) => {
      const config: FirewallConfig = {
        url: firewall.url,
        token: { kind: 'env', name: 'TOKEN' },
        vdom: 'root',
        source: '10.0.0.5',
        sourceInterface: 'port2',
        appliances: [],
        caFile,
        ...more,
      };
      return observeFirewall(config, TARGET, connectorContext({ env: ENV, ...context }));
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

/** Returns the level of each finding, and the cause that it suggests. */
export function judged(observation: FirewallObservation): readonly (readonly [string, string | null])[] {
  return judgePolicies([observation]).map(({ level, suggests }) => [level, suggests]);
}
