import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../network/free-port.ts';

/**
 * Debian's postfix with a separate configuration, queue and mailboxes, next to any other on the machine. Needs root.
 */
export interface PostfixInstance extends Disposable {
  readonly port: number;
  /** Returns the mails delivered to a mailbox, in order of delivery. */
  mails(mailbox: string): readonly string[];
  /** Offers STARTTLS with another certificate from now on. */
  serve(tls: PostfixTls): void;
}

interface PostfixTls {
  readonly keyPem: string;
  /** PEM, the leaf first. */
  readonly chain: string;
}

const DOMAIN = 'example.test';
/** Mail is delivered as user nobody. */
const NOBODY = '65534';

export interface PostfixOptions {
  /** Client whose messages are relayed to other domains. */
  readonly relaysFor?: string;
  /** @default postfix's default, which defers relaying */
  readonly relayRestrictions?: string;
  /** Clients not in `relaysFor` wait for the greeting, 6 s by default. */
  readonly postscreen?: true;
  /** Offers STARTTLS. @default no TLS */
  readonly tls?: PostfixTls;
  /** Additional lines of main.cf. */
  readonly settings?: readonly string[];
}

/** @param mailboxes local parts of example.test; every other recipient is rejected */
export async function startPostfix(
  mailboxes: readonly string[],
  options: PostfixOptions = {},
): Promise<PostfixInstance> {
  const folder = mkdtempSync(join(tmpdir(), 'ftm-watch-postfix-'));
  const port = await freePort();
  // Its daemons drop root privileges but must still find their files.
  chmodSync(folder, 0o755);
  for (const name of ['etc', 'queue', 'data', 'mail']) mkdirSync(join(folder, name));
  execFileSync('chown', ['postfix', join(folder, 'data')]);
  execFileSync('chown', [NOBODY, join(folder, 'mail')]);
  writeFileSync(join(folder, 'etc', 'main.cf'), mainConfig(folder, mailboxes, options));
  writeFileSync(join(folder, 'etc', 'master.cf'), masterConfig(port, options));
  if (options.tls !== undefined) writeChain(folder, options.tls);
  postfix(folder, 'start');
  return {
    port,
    mails: (mailbox) => delivered(join(folder, 'mail', mailbox, 'new')),
    serve: (tls) => {
      writeChain(folder, tls);
      postfix(folder, 'reload');
    },
    [Symbol.dispose]() {
      postfix(folder, 'abort');
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}

function writeChain(folder: string, { keyPem, chain }: PostfixTls): void {
  writeFileSync(join(folder, 'etc', 'chain.pem'), `${keyPem}${chain}`);
}

function postfix(folder: string, command: string): void {
  execFileSync('postfix', ['-c', join(folder, 'etc'), command], { stdio: 'pipe' });
}

/**
 * Postfix names a file `SECOND.VdeviceIinodeMmicrosecond.HOST` without leading zeros. Sorted as strings, files of the
 * same second would be ordered by inode.
 */
function deliveryTime(fileName: string): number {
  const [, second = '', microsecond = ''] = /^(\d+)\.V[\da-f]+I[\da-f]+M(\d+)\./u.exec(fileName) ?? [];
  return Number(second) * 1e6 + Number(microsecond);
}

function delivered(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .sort((one, other) => deliveryTime(one) - deliveryTime(other))
      .map((name) => readFileSync(join(folder, name), 'utf8'));
  } catch {
    return [];
  }
}

function mainConfig(
  folder: string,
  mailboxes: readonly string[],
  { relaysFor = '127.0.0.0/8', relayRestrictions, tls, settings = [] }: PostfixOptions,
): string {
  return `
compatibility_level = 3.10
queue_directory = ${folder}/queue
data_directory = ${folder}/data
maillog_file = ${folder}/data/mail.log
maillog_file_prefixes = ${folder}
myhostname = mail.${DOMAIN}
mydestination =
inet_interfaces = loopback-only
inet_protocols = ipv4
mynetworks = ${relaysFor}
alias_maps =
local_recipient_maps =
virtual_mailbox_domains = ${DOMAIN}
virtual_mailbox_base = ${folder}/mail
virtual_mailbox_maps = inline:{ ${mailboxes.map((name) => `{ ${name}@${DOMAIN} = ${name}/ }`).join(', ')} }
virtual_uid_maps = static:${NOBODY}
virtual_gid_maps = static:${NOBODY}
smtpd_tls_security_level = ${tls === undefined ? 'none' : 'may'}
smtpd_tls_chain_files = ${folder}/etc/chain.pem
smtpd_recipient_restrictions = reject_unlisted_recipient, permit_mynetworks, permit_auth_destination, reject
${relayRestrictions === undefined ? '' : `smtpd_relay_restrictions = ${relayRestrictions}`}
${settings.join('\n')}
`;
}

function masterConfig(port: number, { postscreen }: PostfixOptions): string {
  const smtpd = `127.0.0.1:${String(port)} inet n - n - - smtpd`;
  const screened = `127.0.0.1:${String(port)} inet n - n - 1 postscreen
smtpd pass - - n - - smtpd
dnsblog unix - - n - 0 dnsblog
tlsproxy unix - - n - 0 tlsproxy`;
  return `
${postscreen === undefined ? smtpd : screened}
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
smtp unix - - n - - smtp
tlsmgr unix - - n 1000? 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
`;
}
