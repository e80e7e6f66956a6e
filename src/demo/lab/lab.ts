import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createIdentity } from './identity.ts';
import { createApplianceLog } from './appliance-log.ts';
import type { ApplianceLog } from './appliance-log.ts';
import { createAuthorities } from './authorities.ts';
import type { Authorities } from './authorities.ts';
import { createFirewall, PLAIN_POLICY, sslProfile } from './firewall.ts';
import type { Firewall } from './firewall.ts';
import { createFortiAuthenticator } from './fortiauthenticator.ts';
import type { FortiAuthenticator } from './fortiauthenticator.ts';
import { createInspectingFirewall } from './inspecting-firewall.ts';
import type { InspectingFirewall } from './inspecting-firewall.ts';
import { configurationOf } from './configuration.ts';
import type { ConfigurationPart } from './configuration.ts';
import { createMailHost } from './mail-host.ts';
import type { MailHost } from './mail-host.ts';
import { createRegistrationService } from './registration.ts';
import type { RegistrationService } from './registration.ts';
import { createResolver } from './resolver.ts';
import type { Resolver } from './resolver.ts';
import { CONTROL_HOSTS, LICENSE, LICENSE_HOST, MAIL_HOST, MAIL_LOGIN, SERIALS } from './site.ts';
import { createWebHost } from './web-host.ts';
import type { WebHost } from './web-host.ts';

/**
 * The whole network of a site on loopback, without root and on ports assigned by the operating system. Everything in
 * it can be broken and repaired while it runs.
 */
export interface Lab extends AsyncDisposable {
  /** Contains the configuration and the files that it refers to. The daemon can write into it. */
  readonly folder: string;
  readonly configFile: string;
  readonly authorities: Authorities;
  readonly resolver: Resolver;
  readonly firewall: InspectingFirewall;
  readonly licenseServer: WebHost;
  /** The server to which FortiAuthenticator sends activation codes. */
  readonly mail: MailHost;
  /** The server of the administrators' mailboxes. */
  readonly inbox: MailHost;
  readonly appliance: FortiAuthenticator;
  readonly applianceLog: ApplianceLog;
  readonly registration: RegistrationService;
  /** API of the firewall's configuration. */
  readonly firewallApi: Firewall;
  /** Registers the licence to a unit. */
  register(serial: string): void;
  /** Enables or disables inspection in the firewall's policy 5, as an administrator does. */
  inspect(on: boolean): Promise<void>;
}

/** @param more top-level keys that replace those of the configuration */
export async function createLab(more: ConfigurationPart = {}): Promise<Lab> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'ftm-watch-lab-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const authorities = await createAuthorities();
  const resolver = stack.use(await createResolver([LICENSE_HOST, MAIL_HOST, ...CONTROL_HOSTS]));
  const internet = stack.use(await createInternet(authorities));
  const firewall = stack.use(await createInspectingFirewall(authorities.fortiGate, internet.ports));
  const mail = stack.use(await createMailHost({ identity: internet.mailIdentity, login: MAIL_LOGIN }));
  const inbox = stack.use(await createMailHost());
  const apis = stack.use(await createApis(firewall.portOf(LICENSE_HOST), mail.port));
  const route = { host: LICENSE_HOST, port: firewall.portOf(LICENSE_HOST), resolverPort: resolver.port };
  const applianceLog = createApplianceLog({ ...route, authority: authorities.fortinet.root });
  const parts = {
    folder,
    authorities,
    resolver,
    firewall,
    mail,
    inbox,
    applianceLog,
    licenseServer: internet.licenseServer,
    ...apis,
  };
  const configFile = join(folder, 'ftm-watch.yaml');
  await writeFiles(folder, parts);
  await writeFile(configFile, JSON.stringify({ ...configurationOf(parts), ...more }, null, 2));
  const owned = stack.move();
  return {
    ...parts,
    configFile,
    register: (serialNumber) => {
      apis.registration.state.licenses = [{ licenseNumber: LICENSE, serialNumber, status: 'Registered' }];
    },
    inspect: async (on) => {
      const profile = on ? 'deep-inspection' : 'no-inspection';
      apis.firewallApi.state.policies = {
        5: { ...PLAIN_POLICY, 'utm-status': on ? 'enable' : 'disable', 'ssl-ssh-profile': profile },
      };
      await firewall.setMode({ kind: on ? 'inspect' : 'off' });
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

interface Internet extends AsyncDisposable {
  readonly licenseServer: WebHost;
  readonly ports: Readonly<Record<string, number>>;
  readonly mailIdentity: Awaited<ReturnType<typeof createIdentity>>;
}

async function createInternet({ licenseServer: identity, other }: Authorities): Promise<Internet> {
  await using stack = new AsyncDisposableStack();
  const issued = (name: string): ReturnType<typeof createIdentity> =>
    createIdentity({ name: `CN=${name}`, issuer: other, dnsNames: [name] });
  const licenseServer = stack.use(await createWebHost(identity, 404));
  const ports: Record<string, number> = { [LICENSE_HOST]: licenseServer.port };
  for (const name of CONTROL_HOSTS) ports[name] = stack.use(await createWebHost(await issued(name), 200)).port;
  const owned = stack.move();
  return {
    licenseServer,
    ports,
    mailIdentity: await issued(MAIL_HOST),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

interface Apis extends AsyncDisposable {
  readonly appliance: FortiAuthenticator;
  readonly registration: RegistrationService;
  readonly firewallApi: Firewall;
}

async function createApis(licensePort: number, mailPort: number): Promise<Apis> {
  await using stack = new AsyncDisposableStack();
  const provisioning = {
    server_address: LICENSE_HOST,
    server_port: licensePort,
    act_timeout: 24,
    token_size: 6,
    token_algo: 'totp',
  };
  const smtp = {
    name: 'office',
    address: MAIL_HOST,
    port: mailPort,
    sender_email: 'fac@example.org',
    secure: 'starttls',
    default: true,
  };
  const appliance = stack.use(
    await createFortiAuthenticator({
      state: { serial: SERIALS.unit, key: 'web-service-key', provisioning, smtpServers: [smtp] },
    }),
  );
  const licenses = [{ licenseNumber: LICENSE, serialNumber: SERIALS.unit, status: 'Registered' }];
  const registration = stack.use(await createRegistrationService({ state: { licenses } }));
  const sslProfiles = profilesFor(licensePort);
  const firewallApi = stack.use(await createFirewall({ state: { sslProfiles } }));
  const owned = stack.move();
  return { appliance, registration, firewallApi, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Inspection depends on the port, and the lab's licence server uses none of the usual ones. */
function profilesFor(licensePort: number): Firewall['state']['sslProfiles'] {
  const names: Readonly<Record<string, string>> = { 'no-inspection': 'disable', 'deep-inspection': 'deep-inspection' };
  return Object.fromEntries(
    Object.entries(names).map(([name, status]) => {
      const profile = sslProfile(name, status);
      return [name, { ...profile, https: { ports: [443, licensePort], status, 'client-certificate': 'bypass' } }];
    }),
  );
}

type Parts = Pick<Lab, 'authorities' | 'registration' | 'firewallApi' | 'appliance'>;

async function writeFiles(folder: string, { authorities, registration, firewallApi, appliance }: Parts): Promise<void> {
  const files: Readonly<Record<string, string>> = {
    'fortinet-ca.pem': authorities.fortinet.root.pem,
    'other-ca.pem': authorities.other.pem,
    'registration-ca.pem': registration.identity.pem,
    'firewall-ca.pem': firewallApi.identity.pem,
    'fac-key': appliance.state.key,
    'registration-password': registration.state.password,
    'firewall-token': firewallApi.state.token,
    'mail-password': MAIL_LOGIN.password,
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text, { mode: 0o600 });
}
