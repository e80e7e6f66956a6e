import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Identity } from '../../../src/demo/lab/identity.ts';
import { startProgram } from '../process/start-program.ts';
import type { Sandbox } from './sandbox.ts';

/** Port to which transparent connections must be redirected. */
export const INTERCEPT_PORT = 3129;
/** Port for CONNECT. Tunnels are opened or rejected here, but never inspected. */
export const CONNECT_PORT = 3128;
/** Port for CONNECT with inspection. */
export const INSPECTING_CONNECT_PORT = 3130;

export interface SquidSettings {
  /** Signs the certificates of inspected connections. */
  readonly authority: Identity;
  /** PEM of the authorities with which the servers behind the proxy are verified. */
  readonly trusted: string;
  readonly resolver: string;
  /** Lines of squid.conf: what to inspect (`ssl_bump`), and what to deny before everything else is allowed. */
  readonly policy: readonly string[];
}

export interface Squid extends AsyncDisposable {
  /** Returns one line for each completed request. */
  accessLog(): Promise<string>;
}

const ACCESS_LOG = 'access.log';
/** Debian's `squid-openssl` installs it outside of the PATH. */
const CERTIFICATE_MAKER = '/usr/lib/squid/security_file_certgen';
/** The account created by Debian's package, because Squid refuses to run as root. */
const ACCOUNT = 'proxy';
/** The last port in the order of its configuration. */
const LISTENING = /Accepting NAT intercepted (?:SSL bumped )?HTTPS Socket connections/u;
/** For example a port that is already in use, without which it would continue. */
const TROUBLE = /\| (?:ERROR|FATAL):/u;

/**
 * Starts Squid in a sandbox, with a certificate generator and all its files in a folder that is deleted with it. It
 * caches nothing. Needs Debian's package `squid-openssl`.
 *
 * @throws {Error} with Squid's output if it does not start
 */
export async function startSquid(sandbox: Sandbox, settings: SquidSettings): Promise<Squid> {
  let accessLog = '';
  const program = await startProgram((folder) => {
    accessLog = join(folder, ACCESS_LOG);
    mkdirSync(join(folder, 'made'));
    run(CERTIFICATE_MAKER, ['-c', '-s', join(folder, 'made', 'certificates'), '-M', '4MB']);
    run('chown', ['-R', ACCOUNT, folder]);
    return {
      // In the foreground, with its messages on standard error as well.
      command: ['squid', '-N', '-d', '1', '-f', join(folder, 'squid.conf')],
      config: {
        'signing.pem': settings.authority.pem + settings.authority.keyPem,
        'trusted.pem': settings.trusted,
        'squid.conf': configuration(folder, settings),
      },
      readyWhen: (output) => {
        if (TROUBLE.test(output)) throw new Error('Squid cannot use its configuration');
        return LISTENING.test(output);
      },
      sandbox,
    };
  });
  return { ...program, accessLog: () => readFile(accessLog, 'utf8') };
}

function configuration(folder: string, { resolver, policy }: SquidSettings): string {
  const bump = `ssl-bump generate-host-certificates=on tls-cert=${join(folder, 'signing.pem')}`;
  return `${[
    'visible_hostname gateway.example.org',
    `cache_effective_user ${ACCOUNT}`,
    'pid_filename none',
    'netdb_filename none',
    'pinger_enable off',
    'shutdown_lifetime 0 seconds',
    `cache_log ${join(folder, 'cache.log')}`,
    `access_log stdio:${join(folder, ACCESS_LOG)}`,
    `coredump_dir ${folder}`,
    'cache deny all',
    'memory_cache_shared off',
    'sslproxy_session_cache_size 0 MB',
    `dns_nameservers ${resolver}`,
    'hosts_file none',
    `sslcrtd_program ${CERTIFICATE_MAKER} -s ${join(folder, 'made', 'certificates')} -M 4MB`,
    'sslcrtd_children 2 startup=1 idle=1',
    `tls_outgoing_options cafile=${join(folder, 'trusted.pem')}`,
    'acl hello at_step SslBump1',
    ...policy,
    'http_access allow all',
    `http_port ${String(CONNECT_PORT)}`,
    `http_port ${String(INSPECTING_CONNECT_PORT)} ${bump}`,
    `https_port ${String(INTERCEPT_PORT)} intercept ${bump}`,
  ].join('\n')}\n`;
}

function run(program: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`Cannot prepare Squid with "${program}": ${stderr.trim()}`);
}
