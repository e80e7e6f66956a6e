import { join } from 'node:path';
import type { CapturedChain } from '../../src/core/certificate.ts';
import { learnBaseline } from '../../src/tls/trust.ts';
import { parseCertificate } from '../../src/tls/parse-certificate.ts';
import { writeBaseline } from '../../src/trust/load-trust.ts';
import { createFirewall, type Firewall } from '../../src/demo/lab/firewall.ts';
import {
  createFortiAuthenticator,
  type FortiAuthenticator,
  type TokenGroup,
} from '../../src/demo/lab/fortiauthenticator.ts';
import { createRegistrationService, type RegistrationService } from '../../src/demo/lab/registration.ts';
import { type Identity, servedChain } from '../../src/demo/lab/identity.ts';
import { ApplianceLog } from './appliance-log.ts';
import type { Certificates } from './certificates.ts';
import type { Conductor } from './conductor.ts';
import { LOGINS } from './configuration.ts';
import { Gate } from './gate.ts';
import { MailHost } from './mail-host.ts';
import { Resolver } from './resolvers.ts';
import {
  APPLIANCE_ADDRESS,
  CONTROLS,
  FIREWALL_ADDRESS,
  INBOX_ADDRESS,
  LICENSE,
  LICENSE_ADDRESSES,
  LICENSE_HOST,
  MAIL_ADDRESS,
  MAIL_HOST,
  MAIL_LOGIN,
  MAIL_PORT,
  MOVED_ADDRESS,
  PUSH_ADDRESSES,
  PUSH_HOST,
  REGISTRATION_ADDRESS,
  RESOLVERS,
  SERIALS,
} from './site.ts';

/** Everything that the daemon connects to, with real sockets, and the means to break it. */
export interface World extends AsyncDisposable {
  readonly conductor: Conductor;
  readonly certificates: Certificates;
  readonly resolvers: readonly Resolver[];
  readonly license: Gate;
  readonly push: Gate;
  readonly controls: readonly Gate[];
  readonly mail: MailHost;
  readonly inbox: MailHost;
  readonly appliance: FortiAuthenticator;
  readonly registration: RegistrationService;
  readonly firewall: Firewall;
  readonly log: ApplianceLog;
  /** Whether FortiAuthenticator writes to its log. */
  speaking: boolean;
}

export const HEALTHY_TOKENS: readonly TokenGroup[] = [
  { count: 28, status: 'available', license: LICENSE },
  { count: 4, status: 'assigned', license: LICENSE },
];

export function register(world: World, serialNumber: string | null): void {
  world.registration.state.licenses = [
    serialNumber === null
      ? { licenseNumber: LICENSE, status: 'Pending' }
      : { licenseNumber: LICENSE, serialNumber, status: 'Registered' },
  ];
}

/** @param folder folder of the product, to which its log file is written */
export async function createWorld(folder: string, certificates: Certificates, conductor: Conductor): Promise<World> {
  await using stack = new AsyncDisposableStack();
  const resolvers = RESOLVERS.map((address) => stack.use(new Resolver(address, conductor)));
  for (const resolver of resolvers) await resolver.open();
  const own = (name: string): Identity => identityOf(certificates.hosts, name);
  const license = stack.use(new Gate(LICENSE_HOST, certificates.genuine, 404, conductor));
  await license.set({ kind: 'open' }, [...LICENSE_ADDRESSES, MOVED_ADDRESS]);
  const push = stack.use(new Gate(PUSH_HOST, own(PUSH_HOST), 404, conductor));
  await push.set({ kind: 'open' }, PUSH_ADDRESSES);
  const controls: Gate[] = [];
  for (const [name, address] of Object.entries(CONTROLS)) {
    const gate = stack.use(new Gate(name, own(name), 200, conductor));
    await gate.set({ kind: 'open' }, [address]);
    controls.push(gate);
  }
  const mail = stack.use(
    new MailHost({ address: MAIL_ADDRESS, port: MAIL_PORT, identity: own(MAIL_HOST), login: MAIL_LOGIN }, conductor),
  );
  await mail.open();
  const inbox = stack.use(new MailHost({ address: INBOX_ADDRESS, port: 25, identity: null, login: null }, conductor));
  await inbox.open();
  const apis = stack.use(await createApis(certificates, conductor));
  const log = stack.use(new ApplianceLog(join(folder, 'fac.log'), conductor));
  await log.open();
  await learn(folder, certificates.genuine);
  const owned = stack.move();
  const parts = { conductor, certificates, resolvers, license, push, controls, mail, inbox, log, speaking: true };
  const { appliance, registration, firewall } = apis;
  return { ...parts, appliance, registration, firewall, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

interface Apis extends AsyncDisposable {
  readonly appliance: FortiAuthenticator;
  readonly registration: RegistrationService;
  readonly firewall: Firewall;
}

async function createApis(certificates: Certificates, conductor: Conductor): Promise<Apis> {
  await using stack = new AsyncDisposableStack();
  const appliance = stack.use(
    await createFortiAuthenticator({
      identity: certificates.appliance,
      address: APPLIANCE_ADDRESS,
      port: 443,
      state: { ...LOGINS.appliance, serial: SERIALS.unit, tokens: HEALTHY_TOKENS },
      now: () => conductor.now(),
    }),
  );
  const registration = stack.use(
    await createRegistrationService({
      identity: certificates.registration,
      address: REGISTRATION_ADDRESS,
      port: 443,
      state: {
        ...LOGINS.registration,
        licenses: [{ licenseNumber: LICENSE, serialNumber: SERIALS.unit, status: 'Registered' }],
      },
    }),
  );
  const firewall = stack.use(
    await createFirewall({
      identity: certificates.firewall,
      address: FIREWALL_ADDRESS,
      port: 443,
      state: { token: LOGINS.firewallToken },
    }),
  );
  const owned = stack.move();
  return { appliance, registration, firewall, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

export function identityOf(identities: ReadonlyMap<string, Identity>, name: string): Identity {
  const identity = identities.get(name);
  if (identity === undefined) throw new RangeError(`No certificate for "${name}"`);
  return identity;
}

/** Writes the state that `trust learn` would have stored on a clean path. */
async function learn(folder: string, genuine: Identity): Promise<void> {
  const certificates = [...servedChain(genuine)].flatMap(({ der }) => parseCertificate(der) ?? []);
  const chain: CapturedChain = { certificates, dropped: 0 };
  const target = `${LICENSE_HOST}:443`;
  const seen = [{ chain, authorities: certificates.slice(1), protocol: 'TLSv1.3' }];
  const baseline = learnBaseline(target, seen, { now: 0, accepted: [] });
  if (baseline !== null) await writeBaseline(join(folder, 'data', 'trust-baseline.json'), baseline);
}
