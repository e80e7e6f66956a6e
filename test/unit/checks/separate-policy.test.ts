import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Step } from '../../../src/engine/model.ts';
import { remedyOf, type WordingFacts } from '../../../src/engine/remedy-words.ts';
import { catalogueSteps } from './catalogue-steps.ts';
import { type Entry, type FortiOs, runFortiOs } from './fortios.ts';

const STEPS = catalogueSteps().flatMap(([name, steps]) => (name === 'policy-inspects-traffic' ? steps : []));

const port = fc.integer({ min: 1, max: 65_535 }).map(String);
const host = fc.oneof(fc.domain(), fc.ipV4()).filter((name) => name.length <= 200);
const interfaces = fc
  .uniqueArray(fc.stringMatching(/^[a-zA-Z0-9][\w ./-]{0,14}[\w]$/u), { minLength: 1, maxLength: 3 })
  .map((names) => names.join(', '));
const nat = fc.oneof(
  fc.constantFrom('enable', 'disable'),
  interfaces.map((pools) => `enable, ${pools}`),
);
const schedule = fc.constantFrom('always', 'office hours');
const vdom = fc.constantFrom('root', 'dmz');
const facts = fc.record({
  source: fc.ipV4(),
  host,
  port,
  incoming: interfaces,
  outgoing: interfaces,
  nat,
  schedule,
  vdom,
});
const settings = fc.array(fc.constantFrom('subnet 10.9.9.9 255.255.255.255', 'comment "theirs"'), { maxLength: 2 });

interface RuleBase {
  readonly known: WordingFacts;
  readonly before: FortiOs;
  /** The policy that the lookup found. */
  readonly matches: string;
}

/** Rule bases in which existing objects can have the same names as those in a block, or similar ones. */
const ruleBases: fc.Arbitrary<RuleBase> = facts.chain((told) => {
  const ours = [`ftm-watch-${told.source}`, `ftm-watch-${told.host.slice(0, 60)}`, `ftm-watch-tcp-${told.port}`];
  const names = fc.oneof(
    fc.constantFrom(...ours, ...ours.map((name) => `${name}0`)),
    fc.stringMatching(/^[a-z]{1,9}$/u),
  );
  const objects = fc.uniqueArray(fc.record({ id: names, settings }), { maxLength: 6, selector: ({ id }) => id });
  const policies = fc.uniqueArray(fc.integer({ min: 1, max: 9999 }), { minLength: 1, maxLength: 9 });
  return fc.record({ addresses: objects, services: objects, policies, at: fc.nat() }).map((base) => {
    const ids = base.policies.map(String);
    const matches = ids[base.at % ids.length] ?? '';
    const tables: readonly (readonly [string, readonly Entry[]])[] = [
      ['firewall address', base.addresses],
      ['firewall service custom', base.services],
      ['firewall policy', ids.map((id) => ({ id, settings: [`name "theirs ${id}"`] }))],
    ];
    const before = { tables: new Map(tables.filter(([, entries]) => entries.length > 0)) };
    return { known: { ...told, subject: 'x', policy: `${matches} "theirs"`, firewall: 'f' }, before, matches };
  });
});

function entriesOf({ tables }: FortiOs, path: string): readonly Entry[] {
  return tables.get(path) ?? [];
}

/** Replaces names of objects that are already in use, as the first step requires. */
function renamed(block: string, before: FortiOs): string {
  const objects = ['firewall address', 'firewall service custom'].flatMap((path) => entriesOf(before, path));
  const taken = objects.map(({ id }) => `"${id}"`);
  return taken.reduce(
    (text, name) => (text.includes(name) ? text.replaceAll(name, `${name.slice(0, -1)}-other"`) : text),
    block,
  );
}

/** Returns the number that `edit 0` assigns. */
function nextId(before: FortiOs): string {
  return String(1 + Math.max(...entriesOf(before, 'firewall policy').map(({ id }) => Number(id))));
}

function blocksFor({ known, before }: RuleBase): { readonly forth: readonly string[]; readonly back: string } {
  const [, create, move] = remedyOf(STEPS, { address: '192.0.2.1', ...known }).remedySteps;
  const ready = (block: string | null | undefined): string =>
    renamed(block ?? '', before).replaceAll('FILL-IN-NEW-ID', nextId(before));
  return { forth: [ready(create?.commands), ready(move?.commands)], back: ready(create?.undo) };
}

test('needs nothing but the number that the FortiGate gives, once the policy was read', () => {
  fc.assert(
    fc.property(ruleBases, ({ known }) => {
      const names = remedyOf(STEPS, { address: '192.0.2.1', ...known }).remedySteps.flatMap(({ blanks }) =>
        blanks.map(({ name }) => name),
      );
      expect(new Set(names)).toEqual(new Set(['FILL-IN-NEW-ID']));
    }),
  );
});

test('leaves everything that exists, stands before the policy that matches, and goes without a trace', () => {
  fc.assert(
    fc.property(ruleBases, (base) => {
      const { forth, back } = blocksFor(base);
      const after = forth.reduce(runFortiOs, base.before);
      for (const [path, entries] of base.before.tables)
        expect(entriesOf(after, path).filter(({ id }) => entries.some((entry) => entry.id === id))).toEqual(entries);
      const ids = entriesOf(after, 'firewall policy').map(({ id }) => id);
      expect(ids.indexOf(nextId(base.before))).toBe(ids.indexOf(base.matches) - 1);
      expect(runFortiOs(after, back)).toEqual(base.before);
    }),
  );
});

test('makes objects of the source, the server and its port alone, and a policy between the interfaces read', () => {
  fc.assert(
    fc.property(ruleBases, (base) => {
      const { source, host: server, port: number, incoming = '', outgoing = '', nat: natAndPools = '' } = base.known;
      const [translates = '', ...pools] = natAndPools.split(', ');
      const after = blocksFor(base).forth.reduce(runFortiOs, base.before);
      const made = (path: string): readonly string[] =>
        entriesOf(after, path)
          .filter(({ id }) => !entriesOf(base.before, path).some((entry) => entry.id === id))
          .flatMap((entry) => entry.settings);
      const isAddress = /^[\d.]+$/u.test(server);
      expect(made('firewall address')).toEqual([
        `subnet ${source ?? ''} 255.255.255.255`,
        ...(isAddress ? ['type ipmask', `subnet "${server}" 255.255.255.255`] : ['type fqdn', `fqdn "${server}"`]),
      ]);
      expect(made('firewall service custom')).toEqual([`tcp-portrange ${number}`]);
      const policy = made('firewall policy');
      const quoted = (names: string): string =>
        names
          .split(', ')
          .map((name) => `"${name}"`)
          .join(' ');
      expect(policy).toEqual(
        expect.arrayContaining([
          `srcintf ${quoted(incoming)}`,
          `dstintf ${quoted(outgoing)}`,
          `schedule "${base.known.schedule ?? ''}"`,
          `nat ${translates}`,
          ...(pools.length === 0 ? [] : ['ippool enable', `poolname ${quoted(pools.join(', '))}`]),
        ]),
      );
      for (const key of ['srcaddr', 'dstaddr', 'service'])
        expect(policy.filter((line) => line.startsWith(`${key} `))).toEqual([expect.stringMatching(/^\w+ "[^"]+"$/u)]);
    }),
  );
});

test.each(catalogueSteps().filter(([, steps]) => steps.some((step) => commandsOf(step).includes('    edit 0'))))(
  'is moved up in the remedy of %s, unless no policy matches',
  (name, steps) => {
    const made = steps.findIndex((step) => commandsOf(step).includes('    edit 0'));
    const isMoved = commandsOf(steps[made + 1]).some((line) => /^ +move /u.test(line));
    expect(isMoved).toBe(name !== 'policy-missing');
  },
);

function commandsOf(step: Step | undefined): readonly string[] {
  return step === undefined || typeof step === 'string' ? [] : step.commands;
}
