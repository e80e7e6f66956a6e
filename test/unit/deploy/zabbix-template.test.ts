import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import { diagnosisToJson } from '../../../src/checks/diagnosis-json.ts';
import { CHECKS } from '../../../src/checks/registry.ts';
import { PRECONDITION_STATES } from '../../../src/engine/model.ts';
import { templateValues, filled } from '../../../src/notify/channels/webhook-template.ts';
import type { Notification } from '../../../src/engine/incident/incident.ts';
import { causeOf } from '../../support/checks/diagnosis-of.ts';
import { HOUR, timeline } from '../../support/store/incident-timeline.ts';
import { diagnosisOfFault } from '../../support/checks/diagnosis-of-fault.ts';
import {
  discovered,
  valuesOf,
  type ZabbixTemplate,
  zabbixTemplates,
} from '../../support/monitoring/zabbix-template.ts';
import { anyText } from '../../support/security/any-text.ts';

const templates = zabbixTemplates();
const [polled] = templates;

function triggersOf({ items, discovery_rules }: ZabbixTemplate) {
  return [...items, ...discovery_rules.flatMap(({ item_prototypes }) => item_prototypes)].flatMap(
    ({ triggers, trigger_prototypes }) => [...triggers, ...trigger_prototypes],
  );
}

/** Returns all values of a key in a document. */
function allOf(key: string, value: unknown): readonly unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, each]) => [...(name === key ? [each] : []), ...allOf(key, each)]);
}

function distinct(pattern: RegExp, value: unknown): readonly string[] {
  return [...new Set([...JSON.stringify(value).matchAll(pattern)].map(([found]) => found))].toSorted();
}

it('has UUIDs of version 4, each once', () => {
  const uuids = allOf('uuid', templates).map(String);
  expect(uuids.filter((uuid) => !/^[\da-f]{12}4[\da-f]{3}[89ab][\da-f]{15}$/u.test(uuid))).toEqual([]);
  expect(uuids).toHaveLength(new Set(uuids).size);
});

describe.each(templates)('$name', (template) => {
  const { items, discovery_rules, macros, valuemaps } = template;
  const keys = [...items, ...discovery_rules.flatMap(({ item_prototypes }) => item_prototypes)].map(({ key }) => key);

  it('refers only to items, value maps and macros that it has', () => {
    const masters = allOf('master_item', template).map((master) => allOf('key', master)[0]);
    expect(masters.filter((key) => !items.some((item) => item.key === key && item.type === 'HTTP_AGENT'))).toEqual([]);
    const maps = allOf('valuemap', template).flatMap((map) => allOf('name', map));
    expect([...new Set(maps)]).toEqual(valuemaps.map(({ name }) => name));
    const { macros: _, ...rest } = template;
    expect(distinct(/\{\$[A-Z.]+\}/gu, rest)).toEqual(macros.map(({ macro }) => macro).toSorted());
    for (const { lld_macro_paths, item_prototypes } of discovery_rules)
      expect(distinct(/\{#[A-Z]+\}/gu, item_prototypes)).toEqual(
        lld_macro_paths.map(({ lld_macro }) => lld_macro).toSorted(),
      );
  });

  // On import, Zabbix silently leaves out all triggers of a file if it cannot read the expression of one.
  it('has expressions that Zabbix can read', () => {
    for (const { expression, recovery_expression = '' } of triggersOf(template))
      for (const part of [expression, recovery_expression]) {
        const outside = part.replaceAll(/"(?:[^"\\]|\\["\\])*"/gu, '""');
        expect(outside).not.toContain('\\');
        const named = [...outside.matchAll(/\/([^/]+)\/(ftm[\w.]+(?:\[[^\]]*\])?)/gu)];
        expect(named.length).toBe(outside.split('(/').length - 1);
        expect(named.filter(([, name, key = '']) => name !== template.name || !keys.includes(key))).toEqual([]);
      }
  });

  it('depends only on triggers that it has', () => {
    const triggers = triggersOf(template).map(({ name, expression }) => ({ name, expression }));
    for (const dependency of triggersOf(template).flatMap(({ dependencies = [] }) => dependencies))
      expect(triggers).toContainEqual(dependency);
  });
});

const intercepted = {
  ...diagnosisToJson({
    ...diagnosisOfFault('tls-intercepted'),
    quantities: [{ id: 'tokens-free', subject: 'fac-1', value: 12, unit: 'tokens' }],
  }),
  state: 2,
};

describe('the status of a site', () => {
  if (polled === undefined) throw new Error('There is no template');

  it('is extracted without remainder', () => {
    const answer = JSON.stringify(intercepted);
    const items = [...polled.items, ...discovered(polled, answer)];
    const values = valuesOf(items, answer);
    // Only the master item has no value of its own.
    expect(items.filter(({ key }) => !values.has(key)).map(({ type }) => type)).toEqual(['HTTP_AGENT']);
    expect(values.get('ftm.state')).toBe('2');
    expect(values.get('ftm.round.at')).toBe(String(Math.floor(Date.parse(intercepted.at) / 1000)));
    expect(values.get('ftm.causes[critical]')).toBe('1');
    for (const { id, state } of intercepted.preconditions) {
      expect(values.get(`ftm.precondition.state[${id}]`)).toBe(String(PRECONDITION_STATES.indexOf(state)));
      expect(values.get(`ftm.precondition.unexplained[${id}]`)).toBe('none');
    }
    const [cause] = intercepted.causes;
    const found = items.filter(({ key }) => key.startsWith('ftm.cause['));
    expect(found.map(({ key }) => values.get(key))).toEqual([
      `critical: ${cause?.headline ?? ''}\n${cause?.remedy[0] ?? ''}`,
    ]);
    expect(items.filter(({ units }) => units === '!tokens').map(({ key }) => values.get(key))).toEqual(['12']);
    const names = items.map(({ name }) => name);
    for (const { title } of CHECKS.filter((check) => intercepted.preconditions.some(({ id: one }) => one === check.id)))
      expect(names).toContain(`${title}: state`);
  });

  it('ends a cause that is no longer reported, and keeps every value until the first round', () => {
    const items = discovered(polled, JSON.stringify(intercepted)).filter(({ key }) => key.startsWith('ftm.cause['));
    const repaired = JSON.stringify({ ...intercepted, causes: [] });
    expect([...valuesOf(items, repaired).values()]).toEqual(['none']);
    const starting = JSON.stringify({ error: 'not yet' });
    expect(discovered(polled, starting)).toEqual([]);
    expect(valuesOf([...polled.items, ...items], starting)).toEqual(new Map());
  });

  it('shows a fault that no cause explains, but no blocked precondition', () => {
    const answer = JSON.stringify({
      ...intercepted,
      preconditions: [
        { id: 'appliance', state: 'warning', summary: 'differs' },
        { id: 'license-server', state: 'blocked', summary: 'unknown' },
      ],
    });
    const values = valuesOf(discovered(polled, answer), answer);
    expect(values.get('ftm.precondition.unexplained[appliance]')).toBe('warning: differs');
    expect(values.get('ftm.precondition.unexplained[license-server]')).toBe('none');
  });

  it('finds each cause again, whatever its subject is', () => {
    const [cause] = intercepted.causes;
    fc.assert(
      fc.property(fc.uniqueArray(anyText(400), { maxLength: 4 }), anyText(300), (subjects, headline) => {
        const answer = JSON.stringify({
          ...intercepted,
          causes: subjects.map((subject, index) => ({ ...cause, subject, headline: `${String(index)} ${headline}` })),
          quantities: [],
        });
        const items = discovered(polled, answer).filter(({ key }) => key.startsWith('ftm.cause['));
        const values = valuesOf(items, answer);
        expect(values.size).toBe(subjects.length);
        for (const { name, key } of items) {
          expect(name.length).toBeLessThan(256);
          expect(key).toMatch(/^[\w.,[\]-]+$/u);
        }
        for (const value of values.values()) expect(value).toMatch(/^critical: \d [^\n]*\n[^\n]*$/u);
      }),
    );
  });
});

describe('the template for notifications', () => {
  const webhook = z
    .object({ notify: z.object({ webhooks: z.tuple([z.object({ template: z.string() })]) }) })
    .parse(parse(readFileSync('deploy/webhooks/zabbix.yaml', 'utf8'))).notify.webhooks[0];
  const request = z.object({ params: z.tuple([z.object({ value: z.string() })]) });
  const context = { site: 'hq', timezone: 'UTC', publicUrl: null, runbookUrl: null };

  function valueOf(notification: Notification): string {
    const body = filled(z.json().parse(JSON.parse(webhook.template)), templateValues(notification, context));
    return request.parse(body).params[0].value;
  }

  /** Returns whether a condition of the form `find(…,"regexp","…")=1` is true. */
  function isTrue(condition: string, value: string): boolean {
    const [, pattern = ''] = /,"regexp","(.*)"\)=1$/su.exec(condition) ?? [];
    return new RegExp(pattern.replaceAll(/\\(.)/gu, '$1').replaceAll(String.raw`\A`, '^'), 'u').test(value);
  }

  /** Returns the triggers with a problem after the notifications. */
  function problemsAfter(notifications: readonly Notification[]): readonly string[] {
    return templates
      .slice(1)
      .flatMap(triggersOf)
      .flatMap(({ name, expression, recovery_expression = '' }) => {
        const changes = notifications.map(valueOf).flatMap((value) => {
          if (isTrue(expression, value)) return [true];
          return isTrue(recovery_expression, value) ? [false] : [];
        });
        return changes.at(-1) === true ? [name] : [];
      });
  }

  it('has a critical problem until no critical incident is open, whatever else begins', () => {
    const [critical, warning] = [causeOf('tls-intercepted'), causeOf('mail-slow', { severity: 'warning' })];
    const line = timeline().rounds(3, [critical]);
    const problems = () => problemsAfter(line.told).map((name) => /\((\w+)\)/u.exec(name)?.[1]);
    expect(problems()).toEqual(['critical']);
    line.rounds(3, [critical, warning]);
    expect(problems()).toEqual(['critical', 'warning']);
    line.rounds(5, [warning]);
    expect(problems()).toEqual(['warning']);
    line
      .rounds(3, [warning, critical])
      .wait(5 * HOUR)
      .tick();
    expect(problems()).toEqual(['critical', 'warning']);
    line.rounds(5, []);
    expect(problems()).toEqual([]);
  });
});
