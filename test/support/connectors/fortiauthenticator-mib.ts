import { readFileSync } from 'node:fs';

const FIXTURE = new URL('../../fixtures/snmp/fortiauthenticator.conf', import.meta.url);

/** `# facSysModel`, and on the next line `override OID TYPE VALUE`. */
const OBJECT = /^# (?<name>fac\w+)\noverride (?<oid>[\d.]+) (?<type>\w+) "?(?<value>[^"\n]+)"?$/gmu;

interface MibObject {
  readonly name: string;
  readonly oid: string;
  readonly type: string;
  readonly value: number | string;
}

function objects(): readonly MibObject[] {
  return [...readFileSync(FIXTURE, 'utf8').matchAll(OBJECT)].map(({ groups }) => {
    const { name = '', oid = '', type = '', value = '' } = groups ?? {};
    return { name, oid, type, value: type === 'integer' ? Number(value) : value };
  });
}

export type MibChanges = Readonly<Record<string, number | string | null>>;

/**
 * Returns the objects of the vendor's MIB by name, with some values replaced; null removes an object from the agent.
 */
function changed(changes: MibChanges): readonly MibObject[] {
  const all = objects();
  const unknown = Object.keys(changes).filter((name) => !all.some((object) => object.name === name));
  if (unknown.length > 0) throw new Error(`The fixture has no ${unknown.join(', ')}`);
  return all.flatMap((object) => {
    const value = changes[object.name] === undefined ? object.value : changes[object.name];
    return typeof value === 'number' || typeof value === 'string' ? [{ ...object, value }] : [];
  });
}

/** Returns the objects for the lab's agent. */
export function mibValues(changes: MibChanges = {}): Map<string, number | string> {
  return new Map(changed(changes).map(({ oid, value }) => [oid, value]));
}

/** Returns lines for snmpd's `override`. */
export function mibOverrides(changes: MibChanges = {}): readonly string[] {
  return changed(changes).map(({ oid, type, value }) => `${oid} ${type} ${JSON.stringify(value)}`);
}
