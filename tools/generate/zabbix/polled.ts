import { CHECKS } from '../../../src/checks/registry.ts';
import { SEVERITIES, type Severity } from '../../../src/core/severity.ts';
import { PRECONDITION_STATES, type PreconditionState } from '../../../src/engine/model.ts';
import { CHECK_EXIT } from '../../../src/document/site-state.ts';
import {
  dependentItem,
  type Element,
  GROUP,
  PRIORITIES,
  valueText,
  javaScript,
  jsonPath,
  matches,
  orDiscarded,
  ONLY_CHANGES,
  STATUS_KEY,
  tag,
  uuidOf,
} from './parts.ts';

/** Name of the template whose items are polled. */
const POLLED = 'ftm-watch by HTTP';

const STATES = 'ftm-watch state';
const PRECONDITIONS = 'ftm-watch check';

/** Value of a text item while there is nothing to report. */
const NONE = 'none';
/** A state or severity, and a text. */
const FAULT = String.raw`\A[a-z]+: (.*)`;

/** The identity of a cause or quantity can contain any character, so keys contain its hash. */
const HASH_OF = [
  'function hashOf(one) {',
  '  return sha256(JSON.stringify([one.id, one.subject])).substring(0, 16);',
  '}',
];

/** Names of items are limited to 255 characters, and an item with a longer one would not be created. */
const NAME_OF = [
  'function nameOf(subject) {',
  "  return subject.replace(/[^\\x20-\\x7e\\xa0-\\ud7ff\\ue000-\\ufffd]/g, '?').substring(0, 100);",
  '}',
];

const FAULTY = ['broken', 'warning'] as const satisfies readonly PreconditionState[];

const MACROS: readonly Element[] = [
  macro('URL', 'http://127.0.0.1:9843', 'Address of the status page of ftm-watch, without a slash at the end.'),
  {
    macro: '{$FTM.TOKEN}',
    type: 'SECRET_TEXT',
    description: 'Token of an account of ftm-watch with the role "read".',
  },
  macro('INTERVAL', '1m', 'How often the status is read.'),
  macro('TIMEOUT', '10s', 'How long ftm-watch has to answer.'),
  macro('NODATA', '5m', 'A problem starts if ftm-watch has not reported a status for this long.'),
  macro('AGE.MAX', '15m', 'A problem starts if the last check of ftm-watch is older than this.'),
];

function macro(name: string, value: string, description: string): Element {
  return { macro: `{$FTM.${name}}`, value, description };
}

/** Path to a function of a trigger's expression. */
function of(key: string): string {
  return `/${POLLED}/${key}`;
}

/** Returns the template of a host whose status Zabbix reads. */
export function polledTemplate(): Element {
  return {
    uuid: uuidOf('template', POLLED),
    template: POLLED,
    name: POLLED,
    description: [
      'FortiToken Mobile activation, as ftm-watch sees it: one problem for each cause, with its headline as name and',
      'the first step of its remedy as operational data. Set {$FTM.URL} and {$FTM.TOKEN} on the host.',
    ].join('\n'),
    groups: [{ name: GROUP }],
    items: [masterItem(), ...siteItems()],
    discovery_rules: [preconditionRule(), causeRule(), quantityRule()],
    tags: [tag('class', 'application'), tag('target', 'ftm-watch')],
    macros: MACROS,
    valuemaps: [
      valueMap(STATES, {
        ready: CHECK_EXIT.ready,
        warnings: CHECK_EXIT.warnings,
        'not ready': CHECK_EXIT.notReady,
        unknown: CHECK_EXIT.unknown,
      }),
      valueMap(
        PRECONDITIONS,
        Object.fromEntries(PRECONDITION_STATES.map((state) => [state.replace('-', ' '), numberOf(state)])),
      ),
    ],
  };
}

function valueMap(name: string, values: Readonly<Record<string, number>>): Element {
  const mappings = Object.entries(values).map(([newvalue, value]) => ({ value: String(value), newvalue }));
  return { uuid: uuidOf('value map', name), name, mappings };
}

function numberOf(state: PreconditionState): number {
  return PRECONDITION_STATES.indexOf(state);
}

const UNKNOWN = 'It is unknown whether FortiToken Mobile activation works';
const COUNTED = ['critical', 'warning'] as const satisfies readonly Severity[];

function countKey(severity: (typeof COUNTED)[number]): string {
  return `ftm.causes[${severity}]`;
}

const ROUND_KEY = 'ftm.round.at';
const NO_STATUS = 'ftm-watch reports no status';

function masterItem(): Element {
  return {
    uuid: uuidOf('item', STATUS_KEY),
    name: 'Status',
    type: 'HTTP_AGENT',
    key: STATUS_KEY,
    delay: '{$FTM.INTERVAL}',
    history: '0',
    trends: '0',
    value_type: 'TEXT',
    description: 'Answer of ftm-watch. All other items are extracted from it. 503: the first check has not finished.',
    url: '{$FTM.URL}/api/v1/status',
    timeout: '{$FTM.TIMEOUT}',
    status_codes: '200,503',
    headers: [
      { name: 'Accept', value: 'application/json' },
      { name: 'Authorization', value: 'Bearer {$FTM.TOKEN}' },
    ],
    verify_peer: 'YES',
    verify_host: 'YES',
    tags: [tag('component', 'raw')],
  };
}

function siteItems(): readonly Element[] {
  const site = [tag('component', 'site')];
  const noStatus = {
    expression: `nodata(${of(ROUND_KEY)},{$FTM.NODATA})=1`,
    name: NO_STATUS,
  };
  return [
    dependentItem('item', {
      key: ROUND_KEY,
      name: 'Time of the last check',
      units: 'unixtime',
      preprocessing: [jsonPath('$.at'), javaScript(['return Math.floor(Date.parse(value) / 1000);'])],
      tags: site,
      triggers: [
        {
          uuid: uuidOf('trigger', NO_STATUS),
          ...noStatus,
          opdata: 'See the error of the item "Status"',
          priority: 'AVERAGE',
          description: 'ftm-watch has stopped, its first check does not finish, or the address or the token is wrong.',
          manual_close: 'YES',
          tags: [tag('scope', 'availability')],
        },
        {
          uuid: uuidOf('trigger', 'round age'),
          expression: `now()-last(${of(ROUND_KEY)})>{$FTM.AGE.MAX}`,
          name: 'ftm-watch has stopped checking',
          opdata: 'Last check: {ITEM.LASTVALUE1}',
          priority: 'AVERAGE',
          description: 'ftm-watch answers, but its last check is too old, or the two clocks differ.',
          manual_close: 'YES',
          dependencies: [noStatus],
          tags: [tag('scope', 'availability')],
        },
      ],
    }),
    dependentItem('item', {
      key: 'ftm.state',
      name: 'State',
      valuemap: { name: STATES },
      preprocessing: [jsonPath('$.state')],
      tags: site,
      triggers: [
        {
          uuid: uuidOf('trigger', 'unknown'),
          expression: [
            `count(${of('ftm.state')},#3,"eq","${String(CHECK_EXIT.unknown)}")=3`,
            ...COUNTED.map((severity) => `last(${of(countKey(severity))})=0`),
          ].join(' and '),
          name: UNKNOWN,
          priority: PRIORITIES.warning,
          description: 'The state was unknown in three consecutive polls, without a cause.',
          manual_close: 'YES',
          tags: [tag('scope', 'notice')],
        },
      ],
    }),
    ...COUNTED.map((severity) =>
      dependentItem('item', {
        key: countKey(severity),
        name: `Causes: ${severity}`,
        preprocessing: [
          jsonPath('$.causes'),
          javaScript([
            'return JSON.parse(value).filter(function (cause) {',
            `  return cause.severity === '${severity}';`,
            '}).length;',
          ]),
          ONLY_CHANGES,
        ],
        tags: site,
      }),
    ),
  ];
}

function discoveryRule(
  parts: { readonly key: string; readonly name: string; readonly description: string },
  preprocessing: readonly Element[],
  macros: Readonly<Record<string, string>>,
  item_prototypes: readonly Element[],
): Element {
  return {
    uuid: uuidOf('discovery rule', parts.key),
    type: 'DEPENDENT',
    ...parts,
    delay: '0',
    // With an item that is deleted, the history of its problems is lost.
    lifetime: '30d',
    // An item must still receive the value that closes its problem.
    enabled_lifetime_type: 'DISABLE_NEVER',
    master_item: { key: STATUS_KEY },
    preprocessing,
    lld_macro_paths: Object.entries(macros).map(([name, path]) => ({ lld_macro: `{#${name}}`, path })),
    item_prototypes,
  };
}

function preconditionRule(): Element {
  const unexplained = 'ftm.precondition.unexplained[{#ID}]';
  const titles = Object.fromEntries(CHECKS.map(({ id, title }) => [id, title]));
  const numbers = Object.fromEntries(PRECONDITION_STATES.map((state) => [state, numberOf(state)]));
  const tags = [tag('component', 'precondition'), tag('precondition', '{#ID}')];
  return discoveryRule(
    { key: 'ftm.precondition.discovery', name: 'Checks', description: 'What activation requires.' },
    [
      jsonPath('$.preconditions'),
      javaScript([
        `var titles = ${JSON.stringify(titles, null, 2)};`,
        'return JSON.stringify(JSON.parse(value).map(function (one) {',
        '  return { id: one.id, title: titles[one.id] || one.id };',
        '}));',
      ]),
      ONLY_CHANGES,
    ],
    { ID: '$.id', TITLE: '$.title' },
    [
      dependentItem('item prototype', {
        key: 'ftm.precondition.state[{#ID}]',
        name: '{#TITLE}: state',
        valuemap: { name: PRECONDITIONS },
        preprocessing: [
          jsonPath('$.preconditions'),
          orDiscarded(
            javaScript([
              `var numbers = ${JSON.stringify(numbers)};`,
              'return numbers[JSON.parse(value).filter(function (each) {',
              "  return each.id === '{#ID}';",
              '})[0].state];',
            ]),
          ),
          ONLY_CHANGES,
        ],
        tags,
      }),
      dependentItem('item prototype', {
        key: unexplained,
        name: '{#TITLE}: fault without a cause',
        description: `"${NONE}" for blocked checks and for faults with a cause.`,
        value_type: 'TEXT',
        preprocessing: [
          orDiscarded(
            javaScript([
              'var status = JSON.parse(value);',
              'var one = status.preconditions.filter(function (each) {',
              `  return each.id === '{#ID}' && /^(${FAULTY.join('|')})$/.test(each.state);`,
              '})[0];',
              'var explained = status.causes.some(function (cause) {',
              "  return cause.precondition === '{#ID}';",
              '});',
              `return one && !explained ? one.state + ': ' + one.summary : '${NONE}';`,
            ]),
          ),
          ONLY_CHANGES,
        ],
        tags,
        triggers: [
          {
            uuid: uuidOf('trigger prototype', 'unexplained'),
            expression: matches(of(unexplained), FAULT),
            name: '{#TITLE}: fault without a cause',
            event_name: `{#TITLE}: ${valueText(FAULT, 'VALUE')}`,
            priority: PRIORITIES.warning,
            manual_close: 'YES',
            tags: [tag('scope', 'notice')],
          },
        ],
      }),
    ],
  );
}

function causeRule(): Element {
  const key = 'ftm.cause[{#CAUSE},{#HASH}]';
  const identity = [tag('cause', '{#CAUSE}'), tag('precondition', '{#PRECONDITION}'), tag('subject', '{#SUBJECT}')];
  return discoveryRule(
    { key: 'ftm.cause.discovery', name: 'Causes', description: 'A new cause gets an item and its triggers.' },
    [
      jsonPath('$.causes'),
      javaScript([
        ...HASH_OF,
        ...NAME_OF,
        'return JSON.stringify(JSON.parse(value).map(function (one) {',
        '  return {',
        '    cause: one.id,',
        '    precondition: one.precondition,',
        '    subject: nameOf(one.subject),',
        '    hash: hashOf(one),',
        '  };',
        '}));',
      ]),
    ],
    { CAUSE: '$.cause', PRECONDITION: '$.precondition', SUBJECT: '$.subject', HASH: '$.hash' },
    [
      dependentItem('item prototype', {
        key,
        name: 'Cause {#CAUSE}: {#SUBJECT}',
        description: `Severity, headline and first step of the remedy, or "${NONE}".`,
        value_type: 'TEXT',
        history: '7d',
        // Every value is stored: the triggers count the last two.
        preprocessing: [
          jsonPath('$.causes'),
          javaScript([
            ...HASH_OF,
            'function line(text) {',
            "  return (text || '').replace(/\\s+/g, ' ').substring(0, 1000);",
            '}',
            'var one = JSON.parse(value).filter(function (each) {',
            "  return hashOf(each) === '{#HASH}';",
            '})[0];',
            `return one ? one.severity + ': ' + line(one.headline) + '\\n' + line(one.remedy[0]) : '${NONE}';`,
          ]),
        ],
        tags: [tag('component', 'cause'), ...identity],
        triggers: SEVERITIES.map((severity) => ({
          uuid: uuidOf('trigger prototype', `cause ${severity}`),
          // As before a mail, it must be seen twice. The poll that creates the item gives it no value.
          expression: `${matches(of(key), String.raw`\A${severity}: `)} and count(${of(key)},#2,"eq","${NONE}")=0`,
          name: `{#CAUSE}: {#SUBJECT} (${severity})`,
          event_name: valueText(FAULT, 'VALUE'),
          opdata: valueText(String.raw`\n(.*)`, 'LASTVALUE'),
          priority: PRIORITIES[severity],
          url_name: 'Runbook',
          url: '{$FTM.URL}/runbooks/{#CAUSE}',
          manual_close: 'YES',
          tags: [tag('scope', severity === 'critical' ? 'availability' : 'notice'), ...identity],
        })),
      }),
    ],
  );
}

function quantityRule(): Element {
  return discoveryRule(
    {
      key: 'ftm.quantity.discovery',
      name: 'Quantities',
      description: 'Numbers without triggers: ftm-watch reports a cause if one of them is too low or too high.',
    },
    [
      jsonPath('$.quantities'),
      javaScript([
        ...HASH_OF,
        ...NAME_OF,
        'return JSON.stringify(JSON.parse(value).map(function (one) {',
        '  return {',
        '    id: one.id,',
        "    name: one.id.charAt(0).toUpperCase() + one.id.substring(1).replace(/-/g, ' '),",
        '    subject: nameOf(one.subject),',
        '    unit: one.unit,',
        '    hash: hashOf(one),',
        '  };',
        '}));',
      ]),
      ONLY_CHANGES,
    ],
    { ID: '$.id', NAME: '$.name', SUBJECT: '$.subject', UNIT: '$.unit', HASH: '$.hash' },
    [
      dependentItem('item prototype', {
        key: 'ftm.quantity[{#ID},{#HASH}]',
        name: '{#NAME}: {#SUBJECT}',
        value_type: 'FLOAT',
        // The exclamation mark prevents "2K tokens".
        units: '!{#UNIT}',
        preprocessing: [
          jsonPath('$.quantities'),
          // The number can be unknown at present.
          orDiscarded(
            javaScript([
              ...HASH_OF,
              'return JSON.parse(value).filter(function (each) {',
              "  return hashOf(each) === '{#HASH}';",
              '})[0].value;',
            ]),
          ),
          ONLY_CHANGES,
        ],
        tags: [tag('component', 'quantity'), tag('quantity', '{#ID}'), tag('subject', '{#SUBJECT}')],
      }),
    ],
  );
}
