import { createColors } from 'picocolors';
import { isFields } from '../core/fields.ts';
import { execFile } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { basename } from 'node:path';
import { promisify } from 'node:util';
import { type Config, configFile } from '../config/config.ts';
import { formatIssue, formatPath } from '../config/issues.ts';
import { type LoadResult, commandFiles, isCredential, localFiles } from '../config/load.ts';
import { counted, nameList, visibleText } from '../core/visible-text.ts';
import { controlPlace } from '../runtime/store-places.ts';
import { checkStart, type RunningDaemon, type StartCheckDeps } from '../runtime/start-check.ts';
import { holderProcess } from '../store/store-lock.ts';
import { ServedCertificate } from '../network/tls/served-certificate.ts';
import { type HoldsPort, portsOf, processesOf } from '../system/process-facts.ts';
import { createDaemonClient, NoDaemon } from './daemon-client.ts';
import { usedTexts } from '../config/schema/section.ts';
import type { YamlPath } from '../text/yaml-text.ts';
import { secretUrls } from '../config/print.ts';
import { authority, networkWithin } from '../core/addresses.ts';
import { noChannelNote } from '../config/schema/channels.ts';
import { exposureNotes } from '../web/access.ts';
import {
  InvalidConfiguration,
  type Invocation,
  load,
  loadWith,
  needsNothing,
  wrapped,
  writeSubstitutes,
} from './terminal.ts';

const EXIT = { valid: 0, invalid: 3 } as const;

const MAX_LINE = 2_000;

const INSTALLED = '/etc/ftm-watch/ftm-watch.yaml';

/** Does not create any files. `fileOnly` is for machines that do not run the daemon. */
export async function configCheck({ fileOnly }: { readonly fileOnly: boolean }, terminal: Invocation): Promise<number> {
  const { columns, output } = terminal;
  const errors = { write: (text: string) => terminal.errors.write(wrapped(text, columns)) };
  const file = await load(terminal, needsNothing);
  if (file.kind === 'invalid') errors.write(`${new InvalidConfiguration(file).message}\n`);
  const machine = fileOnly ? NOT_CHECKED : await checkMachine(file, { ...terminal, errors });
  // Problems can quote text from files written by untrusted users.
  errors.write(machine.problems.map((problem) => `${visibleText(problem, MAX_LINE)}\n`).join(''));
  if (machine.problems.length > 0) errors.write(`${summaryOf(file, machine)}\n`);
  errors.write(machine.advice.map((advice) => `${visibleText(advice, MAX_LINE)}\n`).join(''));
  if (file.kind === 'invalid' || machine.problems.length > 0) return EXIT.invalid;
  output.write(
    file.sources.length === 0
      ? 'No configuration file was found, so the built-in defaults are used\n'
      : `${file.sources.join(', ')}: the configuration is valid\n`,
  );
  const sent = sentToOthers(file.config);
  if (sent !== null) output.write(`${wrapped(sent, columns)}\n`);
  const { yellow } = createColors(terminal.style.color);
  const warnings = [...fileWarnings(file.config), ...machine.warnings];
  for (const warning of warnings)
    output.write(`${yellow(wrapped(`Warning: ${visibleText(warning, MAX_LINE)}`, columns))}\n`);
  return EXIT.valid;
}

/** Returns null if nothing is sent to a public service. */
function sentToOthers({ outside, licenseServer }: Config): string | null {
  if (outside === null) return null;
  const { url, countries } = outside.globalping;
  const from = countries.length === 0 ? '' : ` and the countries ${nameList(countries)}`;
  return (
    'To ask other networks when a fault is suspected and once a day, ftm-watch sends only ' +
    `${authority(licenseServer)}${from} to ${new URL(url).host}.`
  );
}

/** The daemon reads copies of these secrets that systemd makes when the service starts. */
const NEEDS_RESTART =
  'The running service cannot read these secrets until it is restarted, and a reload would be rejected. Run: ' +
  'systemctl restart ftm-watch.';

const OTHER_STORE =
  'ftm-watch is running with a different "store.path". The ports that it uses were not checked, because they become ' +
  'free when it loads this file.';

interface MachineCheck {
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
  /** One sentence for each file that this process can read, but the service cannot. */
  readonly advice: readonly string[];
  /** Null to use this process's permissions. */
  readonly rights: ServiceRights | null;
}

const NOT_CHECKED: MachineCheck = { problems: [], warnings: [], advice: [], rights: null };

function permissionAdvice(path: string, { group }: ServiceRights): string {
  return (
    `To let the service read "${path}", move the file to /etc/ftm-watch/secrets, refer to it as ` +
    `/run/credentials/ftm-watch.service/secrets_${basename(path)}, and restart the service. If the file must stay where it is, ` +
    `run: chgrp ${group} "${path}" && chmod 0640 "${path}".`
  );
}

function summaryOf(file: LoadResult, { problems, rights }: MachineCheck): string {
  const who = rights === null ? '' : ` (checked as the service's user, "${rights.user}")`;
  const many = counted(problems.length, 'problem');
  return file.kind === 'ok'
    ? `The file is valid, but the daemon cannot start with it on this machine: ${many}${who}`
    : `There ${problems.length === 1 ? 'is' : 'are'} also ${many} on this machine${who}`;
}

async function checkMachine(file: LoadResult, terminal: Invocation): Promise<MachineCheck> {
  const rights = await serviceRights();
  const asDaemon: Do = (work) => (rights === null ? work() : withRights(rights, work));
  const { loaded, onlyRootReads } = await loadAsDaemon(asDaemon, terminal);
  const advice = rights === null ? [] : onlyRootReads.map((path) => permissionAdvice(path, rights));
  if (loaded.kind === 'invalid') {
    const known = linesOf(file);
    return { problems: linesOf(loaded).filter((line) => !known.includes(line)), warnings: [], advice, rights };
  }
  const { config, sources, substitutes, locate } = loaded;
  writeSubstitutes(substitutes, terminal.errors);
  const daemon = await runningDaemon(config, terminal);
  const started = await checkStart(config, {
    ...terminal,
    daemon,
    asDaemon,
    asListener: rights?.bindsAnyPort === true ? (work) => work() : asDaemon,
  });
  const unread = await asDaemon(() => unreadableSources(sources));
  const warnings = [
    ...(daemon?.hasSameStore === false ? [OTHER_STORE] : []),
    ...(daemon === null || substitutes.length === 0 ? [] : [NEEDS_RESTART]),
    ...(await machineWarnings(config, sources)),
    ...started.warnings,
  ];
  const problems = started.problems.map((problem) => {
    const issue = locate(problem);
    return issue === null ? problem : formatIssue(issue);
  });
  return { problems: [...unread, ...problems], warnings, advice, rights };
}

type Do = StartCheckDeps['asDaemon'];

function linesOf(loaded: LoadResult): readonly string[] {
  return loaded.kind === 'ok' ? [] : loaded.issues.map(formatIssue);
}

/** Files that systemd reads on behalf of the service are read with this process's permissions. */
async function loadAsDaemon(
  asDaemon: Do,
  terminal: Invocation,
): Promise<{ readonly loaded: LoadResult; readonly onlyRootReads: readonly string[] }> {
  const onlyRootReads: string[] = [];
  const problem = async (path: string): Promise<string | null> => {
    const own = await localFiles.problem(path);
    if (isCredential(path)) return own;
    const ofDaemon = await asDaemon(() => localFiles.problem(path));
    if (own === null && ofDaemon !== null) onlyRootReads.push(path);
    return ofDaemon;
  };
  return { loaded: await loadWith({ ...commandFiles, problem }, terminal), onlyRootReads };
}

/**
 * A main file at any path other than the installed one is skipped, because a draft may be in a directory that only its
 * author can read.
 */
async function unreadableSources(sources: readonly string[]): Promise<readonly string[]> {
  const read = sources.filter((source, index) => index > 0 || source === INSTALLED);
  const problems = await Promise.all(read.map(async (file) => ({ file, reason: await localFiles.problem(file) })));
  return problems.flatMap(({ file, reason }) =>
    reason === null
      ? []
      : [formatIssue({ file, position: null, path: '', message: `cannot read the configuration: ${reason}` })],
  );
}

async function runningDaemon({ store }: Config, terminal: Invocation): Promise<RunningDaemon | null> {
  try {
    const daemon = await createDaemonClient(controlPlace(store.path, terminal.env), terminal);
    await daemon.ask('GET', '/-/healthy');
  } catch (error) {
    if (error instanceof NoDaemon) return otherDaemon();
  }
  const holder = holderProcess(store.path);
  return { hasSameStore: true, holdsPort: holder === null ? null : await portsOf(holder) };
}

/** A daemon whose store is elsewhere, because the configuration that it loaded has another "store.path". */
async function otherDaemon(): Promise<RunningDaemon | null> {
  const [, program = ''] = process.argv;
  const ports = await Promise.all((await processesOf(program, 'run')).map(portsOf));
  const holdsPort: HoldsPort = (transport, port) => ports.some((holds) => holds?.(transport, port) === true);
  return ports.length === 0 ? null : { hasSameStore: false, holdsPort };
}

interface ServiceRights {
  readonly user: string;
  readonly group: string;
  /** Supplementary groups that are added to the user's own groups. */
  readonly groups: readonly string[];
  readonly bindsAnyPort: boolean;
}

const UNIT = 'ftm-watch.service';
const PROPERTIES = [
  'LoadState',
  'User',
  'Group',
  'SupplementaryGroups',
  'AmbientCapabilities',
  'PrivateUsers',
] as const;
/** The user account that the package creates for the service. */
const USER = 'ftm-watch';

/**
 * Includes permissions from drop-in files. If systemd cannot be queried, returns the permissions of the user that the
 * package creates. Returns null if this process cannot switch to these permissions.
 */
async function serviceRights(): Promise<ServiceRights | null> {
  if (process.geteuid?.() !== 0) return null;
  const unit = await showUnit();
  if (unit === null) return existing({ user: USER, group: USER, groups: [], bindsAnyPort: false });
  const { LoadState, User: user = '', Group: group = '', SupplementaryGroups: groups = '' } = unit;
  if (LoadState !== 'loaded' || user === '' || user === 'root') return null;
  // In a separate user namespace, a process cannot use the machine's privileged ports (systemd.exec(5), PrivateUsers=).
  const bindsAnyPort =
    (unit['AmbientCapabilities'] ?? '').split(' ').includes('cap_net_bind_service') && unit['PrivateUsers'] === 'no';
  return existing({
    user,
    group: group === '' ? user : group,
    groups: groups.split(' ').filter((name) => name !== ''),
    bindsAnyPort,
  });
}

/** Returns null if systemd is not running on this machine. */
async function showUnit(): Promise<Readonly<Record<string, string | undefined>> | null> {
  try {
    const { stdout } = await promisify(execFile)('systemctl', ['show', UNIT, `--property=${PROPERTIES.join(',')}`]);
    return Object.fromEntries(
      stdout
        .split('\n')
        .map((line) => [line.slice(0, Math.max(0, line.indexOf('='))), line.slice(line.indexOf('=') + 1)]),
    );
  } catch {
    return null;
  }
}

async function existing(rights: ServiceRights): Promise<ServiceRights | null> {
  try {
    return await withRights(rights, () => Promise.resolve(rights));
  } catch {
    // The user does not exist.
    return null;
  }
}

async function membershipsOf(user: string): Promise<readonly string[]> {
  const lines = (await readFile('/etc/group', 'utf8')).split('\n').map((line) => line.split(':'));
  return lines.flatMap(([name = '', , , members = '']) => (members.split(',').includes(user) ? [name] : []));
}

/** Permissions apply to the whole process, so nothing else may run concurrently. */
async function withRights<T>({ user, group, groups }: ServiceRights, work: () => Promise<T>): Promise<T> {
  const own = { groups: process.getgroups?.() ?? [], group: process.getegid?.() ?? 0, user: process.geteuid?.() ?? 0 };
  try {
    process.setgroups?.([group, ...groups, ...(await membershipsOf(user))]);
    process.setegid?.(group);
    process.seteuid?.(user);
    return await work();
  } finally {
    process.seteuid?.(own.user);
    process.setegid?.(own.group);
    process.setgroups?.(own.groups);
  }
}

const OTHERS_READ = 0o004;

/** Warns about valid settings that may not be intended. */
function fileWarnings(config: Config): readonly string[] {
  const nobody = noChannelNote(config.notify);
  return [
    ...(nobody === null ? [] : [nobody]),
    ...logWarnings(config),
    ...networkWarnings(config),
    ...portlessAddresses(config).map(
      ({ path, address, port }) =>
        `${formatPath(path)}: "${address}:${String(port)}" is read as an address without a port. If a port is meant, ` +
        `write "[${address}]:${String(port)}".`,
    ),
    ...exposureNotes(config.web),
  ];
}

/** An entry such as `10.1.2.3/24` covers the whole network, although only the individual address may be intended. */
function networkWarnings({ logs, licenseServer }: Config): readonly string[] {
  const blocks = [
    ...logs.relays.map((block) => ({ key: 'logs.relays', block, what: 'is trusted as a relay' })),
    ...licenseServer.expectedAddresses.map((block) => ({
      key: 'licenseServer.expectedAddresses',
      block,
      what: 'is expected',
    })),
  ];
  return blocks.flatMap(({ key, block, what }) => {
    const network = networkWithin(block);
    return network === null
      ? []
      : [
          `${key} contains "${block}", which has host bits set, so the whole network ${network} ${what}. Write ` +
            `"${block.replace(/\/.*$/u, '')}" for this address only, or "${network}" for the whole network.`,
        ];
  });
}

interface Portless {
  readonly path: YamlPath;
  readonly address: string;
  readonly port: number;
}

/** Finds IPv6 addresses such as `2001:db8::54:53`, whose last group may be meant as the port. */
function portlessAddresses(value: unknown, path: YamlPath = []): readonly Portless[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => portlessAddresses(item, [...path, index]));
  if (!isFields(value)) return [];
  const { host, port, label } = value;
  const inside = Object.entries(value).flatMap(([key, child]) => portlessAddresses(child, [...path, key]));
  if (typeof host !== 'string' || typeof port !== 'number' || !isIPv6(host)) return inside;
  const address = host.slice(0, -`:${String(port)}`.length);
  const isMeant = host === `${address}:${String(port)}` && isIPv6(address) && !address.endsWith(':');
  const isBracketed = typeof label === 'string' && label.includes('[');
  return isMeant && !isBracketed ? [{ path, address, port }, ...inside] : inside;
}

function logWarnings({ logs: { syslog, files }, appliances }: Config): readonly string[] {
  const listens = syslog.udp !== null || syslog.tcp !== null || syslog.tls !== null || files.length > 0;
  if (!listens)
    return [
      "No log source is configured, so FortiAuthenticator's errors are not detected. Set logs.syslog, and add this " +
        'machine as a syslog server on FortiAuthenticator.',
    ];
  // With only one unit, there is no need to tell the units' log lines apart.
  return appliances.length < 2
    ? []
    : appliances
        .filter(({ logSources }) => logSources.length === 0)
        .map(
          ({ name }) =>
            `Log lines from "${name}" are ignored, because they cannot be attributed to it: ` +
            'set logSources for this appliance.',
        );
}

export async function machineWarnings(config: Config, sources: readonly string[]): Promise<readonly string[]> {
  const secrets = usedTexts(configFile, config.written).flatMap(({ use, text, path }) =>
    use === 'secret-file' || path?.at(-1) === 'keyFile' ? [text] : [],
  );
  // These URLs are written in the configuration file itself and contain secrets in their paths.
  const files = [...new Set([...secrets, ...(secretUrls(config).length === 0 ? [] : sources)])];
  const open = await Promise.all(files.map(isReadByOthers));
  const readByOthers = files
    .filter((_, index) => open[index])
    .map(
      (file) =>
        `Every user on this machine can read the secrets in "${file}". To prevent this, run: chmod o= "${file}".`,
    );
  return [...readByOthers, ...(await syslogNameWarnings(config))];
}

/** From 8.0.3 on, FortiAuthenticator requires a valid host name in the certificate (8.0.3 guide, read second-hand). */
async function syslogNameWarnings({ logs: { syslog } }: Config): Promise<readonly string[]> {
  const { tls } = syslog;
  if (tls === null) return [];
  // Another check reports a certificate that cannot be used.
  const certificate = await ServedCertificate.read(tls, 'the syslog listener').catch(() => null);
  if (certificate === null || certificate.hasAlternativeName()) return [];
  return [
    `The certificate in "${tls.certFile}" has no DNS name or IP address (subject alternative name). ` +
      'FortiAuthenticator 8.0.3 and later may not send its log to this machine. Issue the certificate for the name or ' +
      'address of this machine that is configured on FortiAuthenticator.',
  ];
}

async function isReadByOthers(file: string): Promise<boolean> {
  try {
    return ((await stat(file)).mode & OTHERS_READ) !== 0;
  } catch {
    // Another check reports files that cannot be read at all.
    return false;
  }
}
