import { once } from 'node:events';
import { createServer } from 'node:https';
import { createSecureContext } from 'node:tls';
import { SMTPServer } from 'smtp-server';
import { createDnsServer, zone } from '../../../src/demo/lab/dns-server.ts';

/** Settings that `createInternet` sends to the process with the servers. */
export interface InternetSettings {
  /** Address of the resolver. */
  readonly resolver: string;
  /** By name. A is answered with the first address, AAAA with an address that contains colons. */
  readonly names: Readonly<Record<string, readonly string[]>>;
  /** PEM of key and chain, by server name. */
  readonly identities: Readonly<Record<string, { readonly key: string; readonly cert: string }>>;
}

/**
 * A program with the servers of a simulated internet, in the network namespace in which it is started: a resolver,
 * web servers on port 443 of every address (selected by server name), and mail servers on port 25. Settings are the
 * first message; it answers "ready", and exits with its parent.
 */
process.once('message', (settings: InternetSettings) => {
  void serve(settings).then(() => process.send?.('ready'));
});
process.once('disconnect', () => process.exit());

async function serve({ resolver, names, identities }: InternetSettings): Promise<void> {
  await createDnsServer(
    zone(Object.fromEntries(Object.entries(names).map(([name, addresses]) => [name, records(name, addresses)]))),
    {
      address: resolver,
      port: 53,
    },
  );
  const contexts = new Map(Object.entries(identities).map(([name, pem]) => [name, createSecureContext(pem)]));
  const web = createServer(
    {
      SNICallback: (name, done) => {
        done(null, contexts.get(name));
      },
    },
    (_, response) => {
      response.writeHead(404).end();
    },
  ).listen(443, '0.0.0.0');
  const mail = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
  });
  await Promise.all([once(web, 'listening'), once(mail.listen(25, '0.0.0.0'), 'listening')]);
}

function records(name: string, addresses: readonly string[]): Parameters<typeof zone>[0][string] {
  return addresses.map((data) => ({ type: data.includes(':') ? 'AAAA' : 'A', name, class: 'IN', ttl: 300, data }));
}
