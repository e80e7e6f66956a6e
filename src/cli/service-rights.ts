import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** What the unit of the package lets the daemon do. */
export interface ServiceRights {
  readonly user: string;
  readonly group: string;
  /** Beside those that the user is a member of. */
  readonly groups: readonly string[];
  /** Ports below 1024 without asking. */
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
/** Of the package. */
const USER = 'ftm-watch';

/**
 * The rights of the installed service, with its drop-ins. Where systemd cannot be asked, those of the user that the
 * package makes.
 * @returns null: this process may not take them, or there is no such service or user
 */
export async function serviceRights(): Promise<ServiceRights | null> {
  if (process.geteuid?.() !== 0) return null;
  const unit = await showUnit();
  if (unit === null) return existing({ user: USER, group: USER, groups: [], bindsAnyPort: false });
  const { LoadState, User: user = '', Group: group = '', SupplementaryGroups: groups = '' } = unit;
  if (LoadState !== 'loaded' || user === '' || user === 'root') return null;
  // A user namespace of its own has no rights over ports of the machine (systemd.exec(5), PrivateUsers=).
  const bindsAnyPort =
    (unit['AmbientCapabilities'] ?? '').split(' ').includes('cap_net_bind_service') && unit['PrivateUsers'] === 'no';
  return existing({
    user,
    group: group === '' ? user : group,
    groups: groups.split(' ').filter((name) => name !== ''),
    bindsAnyPort,
  });
}

/** Null: systemd does not run here. */
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
    // No such user.
    return null;
  }
}

/** By group(5). */
async function membershipsOf(user: string): Promise<readonly string[]> {
  const lines = (await readFile('/etc/group', 'utf8')).split('\n').map((line) => line.split(':'));
  return lines.flatMap(([name = '', , , members = '']) => (members.split(',').includes(user) ? [name] : []));
}

/**
 * Does something with these rights, and nothing else meanwhile: they are those of the whole process.
 * @throws {Error} when there is no such user or group; and what `work` throws
 */
export async function withRights<T>({ user, group, groups }: ServiceRights, work: () => Promise<T>): Promise<T> {
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
