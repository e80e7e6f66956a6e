import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Many sites with two agents each, which expose metrics recorded from real daemons under other names. */
export interface SimulatedFleet<State extends string> extends AsyncDisposable {
  readonly sites: readonly string[];
  /** For `static_configs`. Each agent has a separate path. */
  readonly targets: readonly {
    readonly targets: readonly string[];
    readonly labels: Readonly<Record<string, string>>;
  }[];
  /** Sets the state that both agents of a site expose. */
  show(site: string, state: State): void;
}

/** @param texts metrics of a daemon of a site called `lab` in each state */
export async function simulateFleet<State extends string>(
  texts: Readonly<Record<State, string>>,
  { sites: count, first }: { readonly sites: number; readonly first: NoInfer<State> },
): Promise<SimulatedFleet<State>> {
  const sites = Array.from({ length: count }, (_, index) => `site-${String(index + 1)}`);
  const states = new Map(sites.map((site) => [site, first]));
  const server = createServer((request, response) => {
    const [, site = ''] = (request.url ?? '').split('/');
    const text = texts[states.get(site) ?? first];
    response.writeHead(200, { 'Content-Type': 'text/plain; version=0.0.4' });
    response.end(text.replace('configured_site="lab"', `configured_site="${site}"`));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  return {
    sites,
    targets: sites.flatMap((site) =>
      ['a', 'b'].map((agent) => ({
        targets: [address],
        labels: { site, instance: `${site}-${agent}:9843`, __metrics_path__: `/${site}/${agent}` },
      })),
    ),
    show: (site, state) => {
      states.set(site, state);
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
