import { execFileSync } from 'node:child_process';
import type { Gate, Way } from './gate.ts';
import type { Identity } from '../../src/demo/lab/identity.ts';
import type { Lie } from './resolver.ts';
import type { World } from './world.ts';

export type Undo = () => Promise<void> | void;

/** Changes the world, and returns what changes it back. */
export type Breakage = (world: World) => Promise<Undo> | Undo;

const NOTHING: Undo = () => undefined;

/** A change that passes by itself. */
export function passing(act: (world: World) => Promise<void> | void): Breakage {
  return async (world) => {
    await act(world);
    return NOTHING;
  };
}

export function together(...parts: readonly Breakage[]): Breakage {
  return async (world) => {
    const undone: Undo[] = [];
    for (const part of parts) undone.push(await part(world));
    return async () => {
      for (const undo of undone.toReversed()) await undo();
    };
  };
}

/** Sets a property of a host. */
export function put<H extends keyof World, K extends keyof World[H]>(host: H, key: K, value: World[H][K]): Breakage {
  return (world) => replace(world[host], key, value);
}

type Api = 'appliance' | 'registration' | 'firewall';

/** Sets a part of the state of an API. */
export function putState<A extends Api, K extends keyof World[A]['state']>(
  api: A,
  key: K,
  value: World[A]['state'][K],
): Breakage {
  return (world) => replace<World[A]['state'], K>(world[api].state, key, value);
}

/** FortiAuthenticator writes nothing to its log. */
export const SILENT: Breakage = (world) => replace(world, 'speaking', false);

function replace<T, K extends keyof T>(object: T, key: K, value: T[K]): Undo {
  const before = object[key];
  object[key] = value;
  return () => {
    object[key] = before;
  };
}

/** Answers no request, or each with this status. */
export function failing(api: Api, status: number | null = null): Breakage {
  return ({ [api]: peer }) => {
    peer.setFault(status === null ? { kind: 'reset' } : { kind: 'status', status });
    return () => {
      peer.setFault({ kind: 'none' });
    };
  };
}

interface Closable {
  open(): Promise<void>;
  close(): Promise<void>;
}

export function closed(hosts: (world: World) => readonly Closable[]): Breakage {
  return async (world) => {
    for (const host of hosts(world)) await host.close();
    return async () => {
      for (const host of hosts(world)) await host.open();
    };
  };
}

type Gates = (world: World) => readonly Gate[];

export const LICENSE_GATE: Gates = ({ license }) => [license];
export const ALL_GATES: Gates = ({ license, push, control }) => [license, push, control];

/** @param addresses @default all of each host */
export function onTheWay(way: Way, gates: Gates, addresses?: readonly string[]): Breakage {
  return async (world) => {
    for (const gate of gates(world)) await gate.set(way, addresses);
    return async () => {
      for (const gate of gates(world)) await gate.set('open', addresses);
    };
  };
}

/** Nothing reaches these addresses. */
export function dropped(addresses: readonly string[]): Breakage {
  const each = (verb: '--append' | '--delete'): void => {
    for (const address of addresses)
      execFileSync('iptables', [verb, 'INPUT', '--destination', address, '--jump', 'DROP']);
  };
  return ({ conductor }) => {
    each('--append');
    conductor.silences.add('dropped');
    return () => {
      each('--delete');
      conductor.silences.delete('dropped');
    };
  };
}

/** Shows other certificates. */
export function showing(identity: (world: World, name: string) => Identity, gates: Gates = LICENSE_GATE): Breakage {
  return (world) => {
    for (const gate of gates(world)) gate.identity = (name) => identity(world, name);
    return () => {
      for (const gate of gates(world)) gate.identity = null;
    };
  };
}

/** The same false answer of both resolvers. @param name '': for every name */
export function lied(name: string, lie: Lie): Breakage {
  return ({ resolvers, conductor }) => {
    for (const resolver of resolvers) resolver.lies.set(name, lie);
    if (lie === 'silent') conductor.silences.add('resolvers');
    return () => {
      for (const resolver of resolvers) resolver.lies.delete(name);
      conductor.silences.delete('resolvers');
    };
  };
}

/** Another reply of the mail server to a command. */
export function replying(verb: string, reply: string): Breakage {
  return ({ mail }) => {
    mail.replies.set(verb, reply);
    return () => {
      mail.replies.delete(verb);
    };
  };
}

export function clockSet(by: number): Breakage {
  return async ({ conductor }) => {
    await conductor.order({ kind: 'set-clock', by });
    return async () => {
      await conductor.order({ kind: 'set-clock', by: -by });
    };
  };
}
