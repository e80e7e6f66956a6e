import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import { POLICY_CAUSES } from '../../../src/checks/firewall-policy/causes.ts';
import { remedyOf } from '../../../src/engine/remedy-words.ts';
import { describeWhere } from '../../support/process/privilege.ts';

const FOLDER = 'deploy/ansible/fortigate';
const PLAY_FILES = ['separate-policy.yml', 'separate-policy-undo.yml'] as const;

function playIn(name: (typeof PLAY_FILES)[number]): string {
  return readFileSync(join(FOLDER, name), 'utf8');
}

/** Answers to the prompts of the plays. */
const ANSWERS: Readonly<Record<string, string>> = {
  vdom: 'root',
  source_ip: '10.0.0.5',
  inside: 'port2',
  outside: 'wan1',
  nat: 'enable',
  new_id: '10',
  policy_id: '5',
  'item.selector': 'firewall_address',
  'item.filter': 'name==x',
};

const TASK = z.looseObject({ name: z.string(), loop: z.array(z.object({ selector: z.string() })).optional() });
const PLAYS = z.tuple([z.looseObject({ vars_prompt: z.array(z.object({ name: z.string() })), tasks: z.array(TASK) })]);
type Task = z.infer<typeof TASK>;

/** Validates the parameters with the argument spec that each module passes to Ansible. */
const ASK_MODULES = `
import importlib, json, sys
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

class Asked(Exception):
    pass

def ask(argument_spec=None, **_):
    raise Asked(argument_spec)

problems = []
for name, parameters in json.load(sys.stdin):
    module = importlib.import_module("ansible_collections.fortinet.fortios.plugins.modules." + name)
    module.AnsibleModule = ask
    try:
        module.main()
    except Asked as asked:
        problems += ArgumentSpecValidator(asked.args[0]).validate(parameters).error_messages
json.dump(problems, sys.stdout)
`;

function answered(text: string): string {
  return text.replaceAll(/\{\{ ([\w.]+) \}\}/gu, (_, name: string) => {
    const answer = Object.hasOwn(ANSWERS, name) ? ANSWERS[name] : undefined;
    if (answer === undefined) throw new Error(`Nobody is asked for ${name}`);
    return answer;
  });
}

function tasksOf(text: string): readonly Task[] {
  return PLAYS.parse(parse(answered(text)))[0].tasks;
}

/** Returns the collection's modules that the tasks call, with their parameters. */
function callsOf(tasks: readonly Task[]): readonly (readonly [string, unknown])[] {
  return tasks.flatMap((task) =>
    Object.entries(task).flatMap(([key, parameters]) => {
      const [, name] = /^fortinet\.fortios\.(\w+)$/u.exec(key) ?? [];
      if (name === undefined) return [];
      const { loop = [] } = task;
      const looked = loop.map(({ selector }) => [name, { ...z.looseObject({}).parse(parameters), selector }] as const);
      return loop.length === 0 ? [[name, parameters] as const] : looked;
    }),
  );
}

function problemsOf(calls: readonly (readonly [string, unknown])[]): unknown {
  const { stdout, stderr } = spawnSync('/usr/bin/python3', ['-c', ASK_MODULES], {
    input: JSON.stringify(calls),
    encoding: 'utf8',
  });
  return stdout === '' ? stderr : JSON.parse(stdout);
}

describeWhere([{ program: 'ansible-playbook' }], 'the remedy as plays of Ansible', () => {
  const plays = PLAY_FILES.map((name) => [name, playIn(name)] as const);

  it.each(plays)('has parameters that the modules of fortinet.fortios take: %s', (_, text) => {
    const calls = callsOf(tasksOf(text));
    expect(calls.length).toBeGreaterThan(3);
    expect(problemsOf(calls)).toEqual([]);
  });

  it('hears of a parameter, a choice and a type that the modules do not take', () => {
    const policy = (fields: object): readonly [string, unknown] => [
      'fortios_firewall_policy',
      { state: 'present', firewall_policy: { policyid: '10', ...fields } },
    ];
    const wrong = [policy({ inspection: 'x' }), policy({ action: 'pass' }), policy({ srcintf: 'port2' })];
    const problems = ['inspection. Supported', 'value of action must be one of', "option 'srcintf'"];
    expect(problemsOf(wrong)).toEqual(expect.arrayContaining(problems.map((text) => expect.stringContaining(text))));
  });

  it.each(PLAY_FILES)('is a play: %s', (name) => {
    const folder = mkdtempSync(join(tmpdir(), 'ftm-watch-play-'));
    try {
      const { status, stderr } = spawnSync(
        'ansible-playbook',
        ['--syntax-check', '--inventory', 'fortigates,', join(FOLDER, name)],
        { encoding: 'utf8', env: { ...process.env, ANSIBLE_HOME: folder } },
      );
      expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.each(plays)('asks for everything that it uses: %s', (_, text) => {
    const [play] = PLAYS.parse(parse(text));
    const used = [...text.matchAll(/\{\{ (\w+) \}\}/gu)].map(([, name]) => name).filter((name) => name !== 'vdom');
    expect(new Set(play.vars_prompt.map(({ name }) => name))).toEqual(new Set(used));
    expect(text).not.toContain('FILL-IN');
  });
});

/** Returns what the FortiGate's commands create, set, move and delete, with the answers in the blanks. */
function changesOfCommands(commands: string): readonly string[] {
  const filled = commands.replaceAll(/FILL-IN-([A-Z]+(?:-[A-Z]+)*)/gu, (_, name: string) =>
    answered(`{{ ${name.toLowerCase().replaceAll('-', '_')} }}`),
  );
  return filled.split('\n').flatMap((line) => {
    const [verb = '', ...words] = line.trim().replaceAll('"', '').split(' ');
    if (verb === 'set') return [words.join(' ').replace(/^\S+/u, (setting) => setting.replaceAll('-', '_'))];
    if (verb === 'edit') return [`present ${words[0] === '0' ? answered('{{ new_id }}') : words.join(' ')}`];
    if (verb === 'delete') return [`absent ${words.join(' ')}`];
    return verb === 'move' ? [`move ${words.join(' ')}`] : [];
  });
}

const CHANGE = z.object({ vdom: z.literal('root') }).catchall(z.unknown());
const SETTING = z.union([z.string(), z.array(z.object({ name: z.string() }))]);

/** Returns the same for the tasks of a play. */
function changesOfPlay(tasks: readonly Task[]): readonly string[] {
  return callsOf(tasks).flatMap(([name, parameters]) => {
    if (name === 'fortios_configuration_fact') return [];
    const { vdom: _, state, action, self, before, ...objects } = CHANGE.parse(parameters);
    if (action === 'move') return [`move ${String(self)} before ${String(before)}`];
    const [fields = {}] = Object.values(objects).map((object) => z.record(z.string(), SETTING).parse(object));
    const [id, ...settings] = Object.entries(fields).map(([setting, value]) => {
      const text = typeof value === 'string' ? value : value.map((item) => item.name).join(' ');
      return { setting, text };
    });
    return [`${String(state)} ${id?.text ?? ''}`, ...settings.map(({ setting, text }) => `${setting} ${text}`)];
  });
}

it("changes what the remedy's commands change, and undoes what their undo undoes", () => {
  const server = { subject: '', host: 'fortitokenmobile.fortinet.com', port: '443' };
  const { remedySteps } = remedyOf(POLICY_CAUSES['policy-inspects-traffic'].remedy, server);
  const [create, ...others] = remedySteps.filter(({ undo }) => undo !== null);
  const commands = [create, ...others].map((step) => step?.commands ?? '').join('\n');
  expect(changesOfPlay(tasksOf(playIn('separate-policy.yml')))).toEqual(changesOfCommands(commands));
  // The undo of the first step removes what was moved as well.
  expect(changesOfPlay(tasksOf(playIn('separate-policy-undo.yml')))).toEqual(changesOfCommands(create?.undo ?? ''));
});
