import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../network/free-port.ts';
import { unpackedPackage } from '../packaging/unpacked-package.ts';
import { acceptsAt, startProgram, type StartedProgram } from '../process/start-program.ts';

/** The package with exim's daemon. It conflicts with postfix, so it is unpacked instead of installed. */
export const EXIM_PACKAGE = 'exim4-daemon-light';

/** Debian's exim with a separate configuration, spool and mailboxes. Needs root, and the user for which it is built. */
export interface EximInstance extends StartedProgram {
  readonly port: number;
  /** Returns the mails delivered to a mailbox. */
  mails(mailbox: string): readonly string[];
}

const USER = 'Debian-exim';

export interface EximOptions {
  /** The only domain for which it accepts mail. It relays for no other hosts, as in Debian's configuration. */
  readonly domain: string;
  /** Local parts of the domain. Every other recipient in it is rejected. */
  readonly mailboxes: readonly string[];
  /** If set, the reply to every recipient, instead of these rules. */
  readonly refusal?: string;
}

export async function startExim(options: EximOptions): Promise<EximInstance> {
  const program = join(unpackedPackage(EXIM_PACKAGE) ?? '', 'usr/sbin/exim4');
  const port = await freePort();
  let mailFolder = '';
  const started = await startProgram((folder) => {
    mailFolder = join(folder, 'mail');
    for (const name of ['spool', 'log', 'mail']) mkdirSync(join(folder, name));
    execFileSync('chown', [USER, ...['spool', 'log', 'mail'].map((name) => join(folder, name))]);
    return {
      command: [program, '-C', join(folder, 'exim.conf'), '-bdf', '-q1m'],
      config: { 'exim.conf': configuration(folder, port, program, options) },
      readyWhen: acceptsAt(port),
    };
  });
  return { ...started, port, mails: (mailbox) => delivered(join(mailFolder, mailbox, 'new')) };
}

function delivered(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .sort()
      .map((name) => readFileSync(join(folder, name), 'utf8'));
  } catch {
    return [];
  }
}

/** The rules for recipients follow Debian's (`acl_check_rcpt` of exim4-config). */
function configuration(
  folder: string,
  port: number,
  program: string,
  { domain, mailboxes, refusal }: EximOptions,
): string {
  return `
exim_path = ${program}
primary_hostname = mail.${domain}
spool_directory = ${folder}/spool
log_file_path = ${folder}/log/%slog
pid_file_path = ${folder}/spool/exim.pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = ${String(port)}
tls_advertise_hosts =
domainlist local_domains = ${domain}
acl_smtp_rcpt = check_rcpt

begin acl
check_rcpt:
${refusal === undefined ? '' : `  deny message = ${refusal}`}
  require message = relay not permitted
          domains = +local_domains
  require verify = recipient
  accept

begin routers
local:
  driver = accept
  domains = +local_domains
  local_parts = ${mailboxes.join(' : ')}
  transport = maildir

begin transports
maildir:
  driver = appendfile
  directory = ${folder}/mail/$local_part_data
  maildir_format
  user = ${USER}
`;
}
