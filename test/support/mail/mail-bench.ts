import { createSecureContext, type SecureContext } from 'node:tls';
import type { MailServerConfig } from '../../../src/config/schema/watched.ts';
import type { MailObservation } from '../../../src/core/observation.ts';
import type { Clock } from '../../../src/core/clock.ts';
import type { ProbeContext } from '../../../src/network/context.ts';
import { FileTrust } from '../../../src/network/tls/secure-context.ts';
import { observeMail } from '../../../src/round/mail.ts';
import { parseCertificate } from '../../../src/tls/parse-certificate.ts';
import { createSignatureChecks } from '../../../src/tls/chain.ts';
import { createHierarchy } from '../certificates/hierarchy.ts';
import { chainPem } from '../../../src/demo/lab/identity.ts';
import { publicRootsOf } from '../certificates/chains.ts';
import { idleClock } from '../time/idle-clock.ts';
import { createMailServer, type MailServer, type MailServerOptions } from './mail-server.ts';
import { probeContext } from '../checks/probe-context.ts';

type MailPorts = Parameters<typeof observeMail>[1];
type MailTarget = Parameters<typeof observeMail>[0];

export const PASSWORD = 'correct horse';

/** Part of a server's configuration: logs in with PASSWORD. */
export const LOGIN: Pick<MailServerConfig, 'user' | 'password'> = {
  user: 'fac',
  password: { kind: 'env', name: 'MAIL_PASSWORD' },
};

export interface Setting {
  readonly config?: Partial<MailServerConfig>;
  /** @default 127.0.0.1 */
  readonly addresses?: readonly string[];
  readonly localError?: MailTarget['localError'];
  readonly ports?: Partial<MailPorts>;
  readonly ctx?: Partial<ProbeContext>;
}

/** The mail probe under test. It trusts the servers' certificate (mail.example.test). */
export interface MailBench {
  /** For scripted servers that take their time. A real one greets late by the real clock. */
  readonly clock: Clock;
  serve(options: MailServerOptions): Promise<MailServer>;
  look(port: number, setting?: Setting): Promise<MailObservation>;
  /** PEM of the servers' root. */
  readonly rootPem: string;
  /** PEM of the servers' certificate and key. */
  readonly served: { readonly cert: string; readonly key: string };
  /** Trusts another root. */
  readonly strangeTrust: SecureContext;
}

export async function createMailBench(): Promise<MailBench> {
  const hierarchy = await createHierarchy({ dnsNames: ['mail.example.test'] });
  const ports: MailPorts = {
    trust: createSecureContext({ ca: [hierarchy.root.pem] }),
    fileTrust: new FileTrust(),
    readSecret: async () => Promise.resolve(PASSWORD),
    mailLimit: null,
    endpoint: { parse: parseCertificate },
    knowledge: {
      ofAny: () => ({
        trust: { pins: [], anchors: [], publicRoots: publicRootsOf() },
        checks: createSignatureChecks(),
      }),
    },
  };
  return {
    clock: idleClock(),
    serve: (options) => createMailServer({ chain: [hierarchy.leaf, hierarchy.intermediate], ...options }),
    look: (port, setting = {}) =>
      observeMail(
        {
          server: { ...SERVER, port, ...setting.config },
          addresses: setting.addresses ?? ['127.0.0.1'],
          localError: setting.localError ?? null,
        },
        { ...ports, ...setting.ports },
        probeContext(setting.ctx),
      ),
    rootPem: hierarchy.root.pem,
    served: { cert: chainPem(hierarchy.leaf, hierarchy.intermediate), key: hierarchy.leaf.keyPem },
    strangeTrust: createSecureContext({ ca: [(await createHierarchy()).root.pem] }),
  };
}

const SERVER: Omit<MailServerConfig, 'port'> = {
  host: 'mail.example.test',
  security: 'none',
  from: 'fac@example.test',
  to: 'probe@example.test',
  required: false,
  // The full deadline, because a busy machine can make anything slow.
  timeout: 10_000,
  user: null,
  password: null,
  caFile: null,
  applianceCaFile: null,
};
