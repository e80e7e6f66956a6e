import { readFileSync } from 'node:fs';
import { Registry } from 'prom-client';
import { parse as parseToml } from 'smol-toml';
import { describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import * as z from 'zod';
import { defineMetrics } from '../../../src/metrics/definitions.ts';

/** The metrics that are exported, by name, with their type. */
function exportedMetrics(): ReadonlyMap<string, string> {
  const registry = new Registry();
  defineMetrics(registry);
  return new Map(registry.getMetricsAsArray().map(({ name, type }) => [name, String(type)]));
}

/** Returns the file as it is shipped, and with the settings for another machine enabled. */
function variantsOf(file: string, comment: string): readonly string[] {
  const text = readFileSync(file, 'utf8');
  const setting = new RegExp(`^( +)${comment} (?=[a-z_ ]+(?:=|: | \\{|:$)|  |\\})`, 'gmu');
  const remote = text.replaceAll(setting, '$1');
  expect(remote).not.toBe(text);
  return [text, remote];
}

type Expression = string | number | boolean | readonly Expression[] | { readonly [key: string]: Expression };

interface Block {
  readonly name: string;
  readonly label: string | null;
  readonly attributes: Readonly<Record<string, Expression>>;
  readonly blocks: readonly Block[];
}

/**
 * Reads what these files use of Alloy's syntax: blocks, attributes, literals and references, each statement on a line
 * of its own (https://grafana.com/docs/alloy/latest/get-started/configuration-syntax/syntax/).
 */
class AlloyReader {
  readonly #tokens: readonly string[];
  #at = 0;

  constructor(text: string) {
    const token =
      /\/\/[^\n]*|[ \t]+|(\n|"(?:[^"\\\n]|\\["\\nt])*"|[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*|\d+(?:\.\d+)?|[{}[\]=,])/uy;
    const tokens: string[] = [];
    while (token.lastIndex < text.length) {
      const { lastIndex } = token;
      const match = token.exec(text);
      if (match === null) throw new Error(`Cannot read "${text.slice(lastIndex, lastIndex + 20)}"`);
      if (match[1] !== undefined) tokens.push(match[1]);
    }
    this.#tokens = tokens;
  }

  file(): Block {
    return this.#body('', null, undefined);
  }

  #body(name: string, label: string | null, end: string | undefined): Block {
    const attributes: Record<string, Expression> = {};
    const blocks: Block[] = [];
    for (;;) {
      this.#skipLines();
      if (this.#tokens[this.#at] === end) break;
      const word = this.#take(/^[a-z_][\w.]*$/u);
      if (this.#tokens[this.#at] === '=') {
        this.#at += 1;
        if (word.includes('.') || Object.hasOwn(attributes, word)) throw new Error(`Not an attribute: "${word}"`);
        attributes[word] = this.#expression();
      } else {
        const isLabelled = this.#tokens[this.#at] !== '{';
        const labelled = isLabelled ? text(this.#take(/^"[A-Za-z_]\w*"$/u)) : null;
        this.#take(/^\{$/u);
        blocks.push(this.#body(word, labelled, '}'));
        this.#take(/^\}$/u);
      }
      this.#take(/^\n$/u);
    }
    return { name, label, attributes, blocks };
  }

  #expression(): Expression {
    const token = this.#take(/^(?!\n)/u);
    if (token === '[') return this.#items(']', () => this.#expression());
    if (token === '{')
      return Object.fromEntries(
        this.#items('}', () => {
          const key = text(this.#take(/^(?:"|[a-z_])/u));
          this.#take(/^=$/u);
          return [key, this.#expression()] as const;
        }),
      );
    if (/^\d/u.test(token)) return Number(token);
    if (!/^["A-Za-z_]/u.test(token)) throw new Error(`Not an expression: "${token}"`);
    return token === 'true' ? true : token === 'false' ? false : text(token);
  }

  #items<T>(end: string, item: () => T): readonly T[] {
    const items: T[] = [];
    for (;;) {
      this.#skipLines();
      if (this.#tokens[this.#at] === end) break;
      items.push(item());
      if (this.#tokens[this.#at] !== end) this.#take(/^,$/u);
    }
    this.#at += 1;
    return items;
  }

  #skipLines(): void {
    while (this.#tokens[this.#at] === '\n') this.#at += 1;
  }

  #take(expected: RegExp): string {
    const token = this.#tokens[this.#at] ?? '';
    if (!expected.test(token)) throw new Error(`Expected ${String(expected)}, got "${token}"`);
    this.#at += 1;
    return token;
  }
}

function text(token: string): string {
  return token.startsWith('"') ? (JSON.parse(token) as string) : token;
}

/** The arguments and blocks used here, from the reference of Alloy 1.20. */
const ALLOY_KEYS: Readonly<Record<string, readonly string[]>> = {
  'prometheus.scrape': [
    'targets',
    'forward_to',
    'job_name',
    'scrape_interval',
    'scrape_timeout',
    'scheme',
    'metrics_path',
    'bearer_token_file',
    'tls_config',
  ],
  tls_config: ['ca_file', 'cert_file', 'key_file', 'server_name', 'insecure_skip_verify'],
  'prometheus.remote_write': ['endpoint', 'external_labels'],
  endpoint: ['url', 'name', 'headers', 'bearer_token_file', 'basic_auth', 'tls_config'],
};

function unknownAlloyKeys({ name, attributes, blocks }: Block): readonly string[] {
  const used = [...Object.keys(attributes), ...blocks.map((block) => block.name)];
  return [
    ...used.filter((key) => ALLOY_KEYS[name]?.includes(key) !== true).map((key) => `${name}: ${key}`),
    ...blocks.flatMap(unknownAlloyKeys),
  ];
}

describe('the configuration for Grafana Alloy', () => {
  test.each(variantsOf('deploy/alloy/ftm-watch.alloy', '//'))('scrapes the job that the rules select (%#)', (file) => {
    const { blocks, attributes } = new AlloyReader(file).file();
    expect(attributes).toEqual({});
    expect(blocks.flatMap(unknownAlloyKeys)).toEqual([]);
    const [scrape, write] = blocks;
    expect(blocks).toHaveLength(2);
    expect(scrape).toMatchObject({
      name: 'prometheus.scrape',
      attributes: {
        job_name: 'ftm-watch',
        targets: [{ __address__: expect.stringMatching(/:9843$/u) as string, site: 'hq' }],
        forward_to: [`${write?.name ?? ''}.${write?.label ?? ''}.receiver`],
      },
    });
    const isRemote = scrape?.blocks.length === 1;
    expect(scrape?.attributes['scheme']).toBe(isRemote ? 'https' : undefined);
  });

  test.each(['a = 1 b = 2\n', 'a {', 'a = [1 2]\n', 'a.b = 1\n', "a = 'x'\n", 'a = 1\na = 2\n', 'a "b-c" {\n}\n'])(
    'would not be read with the wrong syntax %j',
    (file) => {
      expect(() => new AlloyReader(file).file()).toThrow(/^(?:Expected|Not an|Cannot read) /u);
    },
  );
});

/** From the reference of Telegraf 1.36: plugins/inputs/prometheus, and the settings of all plugins. */
const telegrafFile = z.strictObject({
  inputs: z.strictObject({
    prometheus: z.tuple([
      z.strictObject({
        urls: z.tuple([z.url()]),
        // With version 1, the field is called "gauge" or "counter", and the names are measurements.
        metric_version: z.literal(2),
        interval: z.string().regex(/^\d+s$/u),
        fieldinclude: z.tuple([z.literal('ftm_*')]),
        bearer_token: z.string().optional(),
        tls_ca: z.string().optional(),
        tags: z.strictObject({ site: z.literal('hq') }),
      }),
    ]),
  }),
});

test.each(variantsOf('deploy/telegraf/ftm-watch.conf', '#'))(
  'the configuration for Telegraf has documented keys (%#)',
  (file) => {
    expect(telegrafFile.safeParse(parseToml(file)).error).toBeUndefined();
  },
);

/** From the reference of Datadog's OpenMetrics check (`conf.yaml.example`). */
const datadogFile = z.strictObject({
  init_config: z.strictObject({}),
  instances: z.tuple([
    z.strictObject({
      openmetrics_endpoint: z.url(),
      namespace: z.literal('ftm'),
      raw_metric_prefix: z.literal('ftm_'),
      tags: z.array(z.string()),
      metrics: z.array(z.string()),
      tls_ca_cert: z.string().optional(),
      auth_token: z
        .strictObject({
          reader: z.strictObject({ type: z.literal('file'), path: z.string() }),
          writer: z.strictObject({
            type: z.literal('header'),
            name: z.literal('Authorization'),
            value: z.literal('Bearer <TOKEN>'),
          }),
        })
        .optional(),
    }),
  ]),
});

test.each(variantsOf('deploy/datadog/openmetrics.yaml', '#'))(
  'the configuration for Datadog names metrics that are exported (%#)',
  (file) => {
    const [instance] = datadogFile.parse(parseYaml(file)).instances;
    // The check reads counters without their suffix, as OpenMetrics names them.
    const names = [...exportedMetrics()].map(([name, type]) =>
      type === 'counter' ? name.replace(/_total$/u, '') : name,
    );
    const wanted = instance.metrics.map((metric) => `${instance.raw_metric_prefix}${metric}`);
    expect(wanted.length).toBeGreaterThan(4);
    expect(wanted.filter((name) => !names.includes(name))).toEqual([]);
  },
);

/** What the basket uses of the Director's columns. */
const directorBasket = z.strictObject({
  Command: z.strictObject({
    'ftm-watch': z.strictObject({
      object_name: z.literal('ftm-watch'),
      object_type: z.literal('object'),
      methods_execute: z.literal('PluginCheck'),
      command: z.string(),
      timeout: z.string().regex(/^\d+$/u),
      arguments: z.record(z.string(), z.strictObject({ value: z.string(), description: z.string() })),
      vars: z.record(z.string(), z.string()),
      uuid: z.uuidv4(),
    }),
  }),
  ServiceTemplate: z.strictObject({
    'ftm-activation': z.strictObject({
      object_name: z.literal('ftm-activation'),
      object_type: z.literal('template'),
      display_name: z.string(),
      check_command: z.literal('ftm-watch'),
      max_check_attempts: z.literal('2'),
      check_interval: z.literal('60'),
      retry_interval: z.literal('30'),
      enable_perfdata: z.literal(true),
      uuid: z.uuidv4(),
    }),
  }),
});

test('the basket for Icinga Director has the command of the file for Icinga', () => {
  const basket = directorBasket.parse(JSON.parse(readFileSync('deploy/icinga/ftm-watch-director.json', 'utf8')));
  const icinga = readFileSync('deploy/icinga/ftm-watch.conf', 'utf8');
  const command = basket.Command['ftm-watch'];
  const words = /command = \[ (.*) \]/u.exec(icinga)?.[1]?.match(/(?<=")[^", ]+(?=")/gu);
  expect(command.command).toBe(words?.join(' '));
  const described = [...icinga.matchAll(/"(--[a-z-]+)" = \{\s+value = "([^"]+)"\s+description = "([^"]+)"/gu)];
  expect(command.arguments).toEqual(
    Object.fromEntries(described.map(([, option, value, description]) => [option, { value, description }])),
  );
});
