import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import { parse } from 'yaml';
import * as z from 'zod';

const text = z.string();
const flag = z.literal(['YES', 'NO']);
const uuid = z.string();
const tags = z.array(z.strictObject({ tag: text, value: text }));

const trigger = z.strictObject({
  uuid,
  expression: text,
  recovery_mode: z.literal('RECOVERY_EXPRESSION').optional(),
  recovery_expression: text.optional(),
  name: text,
  event_name: text.optional(),
  opdata: text.optional(),
  priority: z.literal(['INFO', 'WARNING', 'AVERAGE', 'HIGH']),
  description: text.optional(),
  type: z.literal('MULTIPLE').optional(),
  url_name: text.optional(),
  url: text.optional(),
  manual_close: flag,
  dependencies: z.array(z.strictObject({ name: text, expression: text })).optional(),
  tags,
});

const step = z.strictObject({
  type: z.literal(['JSONPATH', 'JAVASCRIPT', 'DISCARD_UNCHANGED_HEARTBEAT']),
  parameters: z.tuple([text]),
  error_handler: z.literal('DISCARD_VALUE').optional(),
});

type Step = z.infer<typeof step>;

const ofItem = {
  uuid,
  name: text,
  key: text,
  delay: text,
  history: text.optional(),
  trends: z.literal('0').optional(),
  value_type: z.literal(['CHAR', 'FLOAT', 'TEXT']).optional(),
  units: text.optional(),
  description: text.optional(),
  valuemap: z.strictObject({ name: text }).optional(),
  tags,
  triggers: z.array(trigger).default([]),
  trigger_prototypes: z.array(trigger).default([]),
};

const dependent = z.strictObject({
  ...ofItem,
  type: z.literal('DEPENDENT'),
  preprocessing: z.array(step),
  master_item: z.strictObject({ key: text }),
});

const polled = z.strictObject({
  ...ofItem,
  type: z.literal('HTTP_AGENT'),
  url: text,
  timeout: text,
  status_codes: text,
  headers: z.array(z.strictObject({ name: text, value: text })),
  verify_peer: flag,
  verify_host: flag,
});

const trapped = z.strictObject({ ...ofItem, type: z.literal('TRAP') });

const rule = z.strictObject({
  uuid,
  type: z.literal('DEPENDENT'),
  key: text,
  name: text,
  description: text,
  delay: text,
  lifetime: text,
  enabled_lifetime_type: z.literal('DISABLE_NEVER'),
  master_item: z.strictObject({ key: text }),
  preprocessing: z.array(step),
  lld_macro_paths: z.array(z.strictObject({ lld_macro: text, path: text })),
  item_prototypes: z.array(dependent),
});

const template = z.strictObject({
  uuid,
  template: text,
  name: text,
  description: text,
  groups: z.array(z.strictObject({ name: text })),
  items: z.array(z.discriminatedUnion('type', [dependent, polled, trapped])),
  discovery_rules: z.array(rule).default([]),
  tags,
  macros: z
    .array(
      z.strictObject({
        macro: text,
        type: z.literal('SECRET_TEXT').optional(),
        value: text.optional(),
        description: text,
      }),
    )
    .default([]),
  valuemaps: z
    .array(z.strictObject({ uuid, name: text, mappings: z.array(z.strictObject({ value: text, newvalue: text })) }))
    .default([]),
});

export type ZabbixTemplate = z.infer<typeof template>;

/** The parts of Zabbix's export format 7.0 that are used (C70XmlValidator in Zabbix's web interface). */
const file = z.strictObject({
  zabbix_export: z.strictObject({
    version: z.literal('7.0'),
    template_groups: z.array(z.strictObject({ uuid, name: text })),
    templates: z.array(template),
  }),
});

export const ZABBIX_TEMPLATE_FILE = 'deploy/zabbix/template_ftm_watch.yaml';

/** Returns the shipped templates. As in Zabbix, words such as YES are strings only if they are quoted. */
export function zabbixTemplates(): readonly ZabbixTemplate[] {
  return file.parse(parse(readFileSync(ZABBIX_TEMPLATE_FILE, 'utf8'), { version: '1.1' })).zabbix_export.templates;
}

/** Returns what the steps make of a value; null if they discard it. @throws {Error} if Zabbix would show an error */
function processed(steps: readonly Step[], value: string): string | null {
  return steps.reduce<string | null>((before, { type, parameters: [code], error_handler }) => {
    if (before === null) return null;
    try {
      switch (type) {
        case 'JSONPATH':
          return at(before, code);
        case 'JAVASCRIPT':
          return String(runInNewContext(`(function (value) {${code}\n})(value)`, { value: before, sha256 }));
        case 'DISCARD_UNCHANGED_HEARTBEAT':
          return before;
      }
    } catch (error) {
      if (error_handler === 'DISCARD_VALUE') return null;
      throw error;
    }
  }, value);
}

function sha256(data: string): string {
  return createHash('sha256').update(data).digest('hex');
}

/** The templates use no other paths than `$.name`. */
function at(json: string, path: string): string {
  const found = z.record(z.string(), z.unknown()).parse(JSON.parse(json))[/^\$\.(\w+)$/u.exec(path)?.[1] ?? ''];
  if (found === undefined) throw new Error(`There is nothing at ${path}`);
  return typeof found === 'string' ? found : JSON.stringify(found);
}

type Macros = Readonly<Record<string, string>>;

function withMacros<T>(element: T, macros: Macros): T {
  const replaced = JSON.stringify(element).replaceAll(/\{#\w+\}/gu, (macro) =>
    JSON.stringify(macros[macro] ?? macro).slice(1, -1),
  );
  return JSON.parse(replaced);
}

type DiscoveredItem = ZabbixTemplate['discovery_rules'][number]['item_prototypes'][number];

/** Returns the items that an answer of the daemon makes Zabbix create. */
export function discovered({ discovery_rules }: ZabbixTemplate, answer: string): readonly DiscoveredItem[] {
  return discovery_rules.flatMap(({ preprocessing, lld_macro_paths, item_prototypes }) => {
    const rows = z.array(z.record(z.string(), z.string())).parse(JSON.parse(processed(preprocessing, answer) ?? '[]'));
    return rows.flatMap((row) => {
      const macros = Object.fromEntries(lld_macro_paths.map(({ lld_macro, path }) => [lld_macro, row[path.slice(2)]]));
      return item_prototypes.map((prototype) => withMacros(prototype, z.record(text, text).parse(macros)));
    });
  });
}

/** Returns the values that items extract from an answer of the daemon, without those that are discarded. */
export function valuesOf(
  items: readonly ZabbixTemplate['items'][number][],
  answer: string,
): ReadonlyMap<string, string> {
  return new Map(
    items.flatMap((item) => {
      const value = item.type === 'DEPENDENT' ? processed(item.preprocessing, answer) : null;
      return value === null ? [] : [[item.key, value] as const];
    }),
  );
}
