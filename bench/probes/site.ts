import { fork } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createAuthorities } from '../../src/demo/lab/authorities.ts';
import { CONTROL_HOSTS, LICENSE_HOST, MAIL_HOST } from '../../src/demo/lab/site.ts';
import { createIdentity, credentialsOf } from '../../src/demo/lab/identity.ts';
import { ask } from '../child-messages.ts';
import { endProcess } from '../child-process.ts';
import type { HandshakeCounts, TargetPorts, TargetSettings } from './targets.ts';

const PROGRAM = fileURLToPath(new URL('targets.ts', import.meta.url));

/** Everything that is probed, on loopback, and the certificates for judging it. */
export interface Site extends AsyncDisposable {
  readonly folder: string;
  readonly ports: TargetPorts;
  /** PEM files with the trusted roots: of the licence server, and of the control hosts and the mail server. */
  readonly fortinetCa: string;
  readonly otherCa: string;
  handshakes(): Promise<HandshakeCounts>;
}

/** @param addresses addresses of the licence server, on loopback */
export async function createSite(addresses: readonly string[] = ['127.0.0.1']): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), 'ftm-watch-bench-'));
  const authorities = await createAuthorities();
  const { fortinet, other, licenseServer } = authorities;
  const names = [LICENSE_HOST, MAIL_HOST];
  const rsa = await createIdentity({
    name: licenseServer.name,
    issuer: fortinet.sub,
    dnsNames: names,
    key: 'RSA-2048',
  });
  const ecdsa = await createIdentity({
    name: licenseServer.name,
    issuer: fortinet.sub,
    dnsNames: names,
    ipAddresses: ['127.0.0.1'],
  });
  const sub = await createIdentity({
    name: 'C=US, O=Example Trust, CN=Example Issuing CA',
    issuer: other,
    authority: true,
  });
  const controls = await Promise.all(
    CONTROL_HOSTS.map((host) => createIdentity({ name: `CN=${host}`, issuer: sub, dnsNames: [host], key: 'RSA-2048' })),
  );
  const child = fork(PROGRAM, { execArgv: [] });
  const settings: TargetSettings = {
    rsa: credentialsOf(rsa),
    ecdsa: credentialsOf(ecdsa),
    controls: controls.map(credentialsOf),
    addresses,
  };
  const ports = await ask<TargetPorts>(child, settings);
  const [fortinetCa, otherCa] = [join(folder, 'fortinet-ca.pem'), join(folder, 'other-ca.pem')];
  await writeFile(fortinetCa, fortinet.root.pem);
  await writeFile(otherCa, other.pem);
  await mkdir(join(folder, 'data'));
  return {
    folder,
    ports,
    fortinetCa,
    otherCa,
    handshakes: () => ask<HandshakeCounts>(child, {}),
    [Symbol.asyncDispose]: async () => {
      await endProcess(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
