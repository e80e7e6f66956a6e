import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import { renderFortigatePlays } from '../../../tools/generate/ansible/fortigate-plays.ts';
import { playOf } from '../../../tools/generate/ansible/fortios-play.ts';
import { describeWhere } from '../../support/process/privilege.ts';

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
  const plays = [...renderFortigatePlays()];

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

  it.each(plays)('is a play: %s', (name, text) => {
    const folder = mkdtempSync(join(tmpdir(), 'ftm-watch-play-'));
    try {
      writeFileSync(join(folder, name), text);
      const { status, stderr } = spawnSync(
        'ansible-playbook',
        ['--syntax-check', '--inventory', 'fortigates,', join(folder, name)],
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

it('has several interfaces where the block has them, and no line that it cannot say', () => {
  const block = ['config firewall policy', 'edit 0', 'set srcintf "port2" "Büro LAN"', 'next', 'end'].join('\n');
  expect(JSON.stringify(playOf(block, []))).toContain('"srcintf":[{"name":"port2"},{"name":"Büro LAN"}]');
  expect(() => playOf('diagnose sys top', [])).toThrow('No task says: diagnose sys top');
});
