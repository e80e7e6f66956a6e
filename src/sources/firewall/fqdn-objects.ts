import { isIP } from 'node:net';
import type { FqdnObject } from '../../core/license/firewall.ts';
import { lenientCount } from '../../network/rest/lenient-number.ts';
import type { FirewallClient } from './client.ts';
import { type ReplyFields, fieldsOf, nameIn } from './replies.ts';

/** As many objects of one name are looked at. */
const MAX_OBJECTS = 4;
const MAX_ADDRESSES = 20;

/**
 * What the firewall itself resolves the name to, in the address objects that policies may name. The list has the number
 * of addresses, one object by its name has the addresses. Nothing where the token may not read them.
 */
export async function readFqdnObjects(client: FirewallClient, host: string): Promise<readonly FqdnObject[]> {
  const listed = await objectsIn(client, null);
  const ours = listed.filter(({ fqdn }) => fqdn?.toLowerCase() === host.toLowerCase()).slice(0, MAX_OBJECTS);
  const objects: FqdnObject[] = [];
  for (const object of ours) {
    const full = (await objectsIn(client, object.name)).find(({ name }) => name === object.name) ?? object;
    const addresses = full.addresses ?? [];
    const count = addresses.length > 0 ? addresses.length : (object.count ?? (full.addresses === null ? null : 0));
    if (count !== null) objects.push({ name: object.name, resolves: count > 0, addresses });
  }
  return objects;
}

interface Listed {
  readonly name: string;
  readonly fqdn: string | null;
  readonly count: number | null;
  /** null: it does not say. */
  readonly addresses: readonly string[] | null;
}

async function objectsIn(client: FirewallClient, only: string | null): Promise<readonly Listed[]> {
  const reply = await client.read({ kind: 'fqdn-objects', only });
  const results = reply.kind === 'json' ? fieldsOf(reply.value)['results'] : null;
  // A list of objects, each with its name; older firmware answers with a mapping from names to objects.
  const named: readonly unknown[] = Array.isArray(results)
    ? results
    : Object.entries(fieldsOf(results)).map(([name, object]) => ({ ...fieldsOf(object), name }));
  return named.flatMap((object) => listedOf(fieldsOf(object)));
}

function listedOf(object: ReplyFields): readonly Listed[] {
  const name = nameIn(object, 'name');
  if (name === null) return [];
  const { addrs } = object;
  const addresses = Array.isArray(addrs)
    ? addrs.filter((one): one is string => typeof one === 'string' && isIP(one) !== 0).slice(0, MAX_ADDRESSES)
    : null;
  return [{ name, fqdn: nameIn(object, 'fqdn'), count: lenientCount(object['addrs_count']), addresses }];
}
