import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ServerResponse } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CapturedChain } from '../../src/core/certificate.ts';
import type { EpochMs } from '../../src/core/clock.ts';
import { parseCertificate } from '../../src/tls/parse-certificate.ts';
import { createFirewall } from '../../src/demo/lab/firewall.ts';
import { createFortiAuthenticator } from '../../src/demo/lab/fortiauthenticator.ts';
import { type Identity, servedChain } from '../../src/demo/lab/identity.ts';
import { createRegistrationService, type RegisteredLicense } from '../../src/demo/lab/registration.ts';
import { LICENSE, LICENSE_HOST, MAIL_HOST, SERIALS } from '../../src/demo/lab/site.ts';
import { learnBaseline } from '../../src/tls/trust.ts';
import { writeBaseline } from '../../src/trust/load-trust.ts';
import { ApplianceLog } from './appliance-log.ts';
import { type Certificates, createCertificates } from './certificates.ts';
import { Conductor } from './conductor.ts';
import { type Apis, type Pace, writeConfiguration } from './configuration.ts';
import { Gate } from './gate.ts';
import { MailHost } from './mail-host.ts';
import type { SaidLine } from './protocol.ts';
import { Resolver } from './resolver.ts';
import {
  APPLIANCE_ADDRESS,
  CONTROL_ADDRESS,
  CONTROL_HOST,
  FIREWALL_ADDRESS,
  INBOX,
  LICENSE_ADDRESSES,
  MAIL,
  MOVED_ADDRESS,
  PUSH_ADDRESSES,
  PUSH_HOST,
  REGISTRATION_ADDRESS,
  RESOLVERS,
} from './site.ts';

/** The daemon, and everything that it connects to, with real sockets, and the means to break it. */
export interface World extends Apis {
  readonly conductor: Conductor;
  /** The daemon's log so far. */
  readonly said: readonly SaidLine[];
  readonly certificates: Certificates;
  readonly resolvers: readonly [Resolver, Resolver];
  readonly license: Gate;
  readonly push: Gate;
  readonly control: Gate;
  readonly mail: MailHost;
  /** The administrators' mail server. */
  readonly inbox: MailHost;
  readonly log: ApplianceLog;
  /** Whether FortiAuthenticator writes to its log. */
  speaking: boolean;
}

/** Beginning of FortiAuthenticator's lines about failed polling. */
export const POLLING_ERROR = 'FTM polling error';

export function registered(serialNumber: string | null): readonly RegisteredLicense[] {
  return serialNumber === null
    ? [{ licenseNumber: LICENSE, status: 'Pending' }]
    : [{ licenseNumber: LICENSE, serialNumber, status: 'Registered' }];
}

/** Starts the site and the daemon, in a network namespace with the addresses of the site. */
export async function startWorld(start: EpochMs, pace: Pace, stack: AsyncDisposableStack): Promise<World> {
  // The lab's systems would send the real time. What must have the simulated time writes it itself.
  const withoutDate = (message: unknown): void => {
    (message as { readonly response: ServerResponse }).response.sendDate = false;
  };
  subscribe('http.server.request.start', withoutDate);
  stack.defer(() => {
    unsubscribe('http.server.request.start', withoutDate);
  });
  const folder = await mkdtemp(join(tmpdir(), 'ftm-watch-soak-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const said: SaidLine[] = [];
  const conductor = stack.use(new Conductor(start, (line) => said.push(line)));
  const certificates = await createCertificates();
  const { genuine } = certificates;
  const open = async <T extends AsyncDisposable & { open(): Promise<void> }>(server: T): Promise<T> => {
    await stack.use(server).open();
    return server;
  };
  const gate = async (name: string, status: number, addresses: readonly string[]): Promise<Gate> => {
    const made = stack.use(new Gate(name, genuine, status, conductor));
    await made.set('open', addresses);
    return made;
  };
  const world: World = {
    conductor,
    said,
    certificates,
    resolvers: [await open(new Resolver(RESOLVERS[0], conductor)), await open(new Resolver(RESOLVERS[1], conductor))],
    license: await gate(LICENSE_HOST, 404, [...LICENSE_ADDRESSES, MOVED_ADDRESS]),
    push: await gate(PUSH_HOST, 404, PUSH_ADDRESSES),
    control: await gate(CONTROL_HOST, 200, [CONTROL_ADDRESS]),
    mail: await open(new MailHost(MAIL, genuine(MAIL_HOST), conductor)),
    inbox: await open(new MailHost(INBOX, null, conductor)),
    log: await open(new ApplianceLog(join(folder, 'fac.log'), conductor)),
    ...(await createApis(certificates, stack)),
    speaking: true,
  };
  const configFile = await writeConfiguration(folder, pace, certificates, world);
  await learn(folder, genuine(LICENSE_HOST));
  await conductor.start({ configFile, folder, start });
  return world;
}

async function createApis(certificates: Certificates, stack: AsyncDisposableStack): Promise<Apis> {
  const tokens = [
    { count: 28, status: 'available', license: LICENSE },
    { count: 4, status: 'assigned', license: LICENSE },
  ];
  const port = 443;
  return {
    appliance: stack.use(
      await createFortiAuthenticator({
        identity: certificates.appliance,
        address: APPLIANCE_ADDRESS,
        port,
        state: { serial: SERIALS.unit, tokens },
        // A query can arrive before the product has reported its time.
        now: null,
      }),
    ),
    registration: stack.use(
      await createRegistrationService({
        identity: certificates.registration,
        address: REGISTRATION_ADDRESS,
        port,
        state: { licenses: registered(SERIALS.unit) },
      }),
    ),
    firewall: stack.use(
      await createFirewall({
        identity: certificates.firewall,
        address: FIREWALL_ADDRESS,
        port,
      }),
    ),
  };
}

/** Writes the state that `trust learn` would have stored on a clean path. */
async function learn(folder: string, genuine: Identity): Promise<void> {
  const certificates = [...servedChain(genuine)].flatMap(({ der }) => parseCertificate(der) ?? []);
  const chain: CapturedChain = { certificates, dropped: 0 };
  const seen = [{ chain, authorities: certificates.slice(1), protocol: 'TLSv1.3' }];
  const baseline = learnBaseline(`${LICENSE_HOST}:443`, seen, { now: 0, accepted: [] });
  if (baseline !== null) await writeBaseline(join(folder, 'data', 'trust-baseline.json'), baseline);
}
