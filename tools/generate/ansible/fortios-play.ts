import type { Blank } from '../../../src/engine/model.ts';

type Value = string | number | boolean | readonly Value[] | { readonly [name: string]: Value };
type Fields = Readonly<Record<string, Value>>;

/** Policy settings that contain several names. */
const LISTS: readonly string[] = ['srcintf', 'dstintf', 'srcaddr', 'dstaddr', 'service', 'poolname'];

/** Meaning of `edit 0` and `{newid}`: a play has to contain the number, so it is chosen first. */
const FREE = { name: 'FILL-IN-NEW-ID', meaning: 'a number that no policy of the FortiGate has' };

/**
 * Converts a block of FortiGate CLI commands that creates, moves and deletes objects into a play with the modules of
 * the collection `fortinet.fortios` (https://github.com/fortinet-ansible-dev/ansible-galaxy-fortios-collection),
 * whose parameters are named after the CLI. The play first reads the objects with the names that it will create, or
 * the policy that it will delete, and stops if they belong to somebody else.
 *
 * @param blanks placeholders of the block, which become variables
 * @throws {Error} on a line that no task covers
 */
export function playOf(block: string, blanks: readonly Blank[]): unknown {
  const { made, tasks } = new Translation(block).result();
  const used = blanks.filter(({ name }) => block.includes(name)).map(({ name }) => name);
  const names = [...new Set([...used, ...(made.length === 0 ? [] : [FREE.name])])];
  const play = {
    name: 'Manage a separate policy for FortiAuthenticator',
    hosts: 'fortigates',
    connection: 'httpapi',
    gather_facts: false,
    vars: {
      ansible_network_os: 'fortinet.fortios.fortios',
      ansible_httpapi_use_ssl: true,
      ansible_httpapi_validate_certs: true,
      vdom: 'root',
    },
    vars_prompt: names.map((name) => ({ name: variable(name), prompt: meaningOf(name, blanks), private: false })),
    tasks: [...(made.length === 0 ? LOOK_AT_POLICY : lookFirst(made)), ...tasks],
  };
  return withVariables(play, names);
}

function meaningOf(name: string, blanks: readonly Blank[]): string {
  const meaning = name === FREE.name ? FREE.meaning : (blanks.find((blank) => blank.name === name)?.meaning ?? '');
  return meaning.replace(/ \(not read: .*\)$/u, '');
}

/** Returns a variable name: `FILL-IN-SOURCE-IP` becomes `source_ip`. */
function variable(name: string): string {
  return name.replace('FILL-IN-', '').toLowerCase().replaceAll('-', '_');
}

function withVariables(play: Fields, names: readonly string[]): unknown {
  return JSON.parse(
    names.reduce((json, name) => json.replaceAll(name, `{{ ${variable(name)} }}`), JSON.stringify(play)),
  );
}

function lookFirst(made: readonly Fields[]): readonly Fields[] {
  return [
    {
      name: 'Check whether objects with the same names exist',
      'fortinet.fortios.fortios_configuration_fact': {
        vdom: '{{ vdom }}',
        selector: '{{ item.selector }}',
        filters: ['{{ item.filter }}'],
      },
      loop: made,
      register: 'there',
    },
    {
      name: 'Stop if an object or the policy already exists',
      'ansible.builtin.assert': {
        that: ["there.results | map(attribute='meta.results') | map('length') | sum == 0"],
        fail_msg: 'The FortiGate already has an object with this name or a policy with this number',
      },
    },
  ];
}

const LOOK_AT_POLICY: readonly Fields[] = [
  {
    name: 'Read the policy with this number',
    'fortinet.fortios.fortios_configuration_fact': {
      vdom: '{{ vdom }}',
      selector: 'firewall_policy',
      filters: [`policyid==${FREE.name}`],
    },
    register: 'there',
  },
  {
    name: 'Stop if the policy has a different name',
    'ansible.builtin.assert': {
      that: ["there.meta.results | rejectattr('name', 'match', 'ftm-watch-') | length == 0"],
      fail_msg: 'The policy with this number has a different name',
    },
  },
];

/** Translates a block line by line. */
class Translation {
  readonly #made: Fields[] = [];
  readonly #tasks: Fields[] = [];
  #path = '';
  #id = '';
  #settings: Record<string, Value> = {};

  constructor(block: string) {
    for (const line of block.split('\n')) this.#take(line.trim());
  }

  result(): { readonly made: readonly Fields[]; readonly tasks: readonly Fields[] } {
    return { made: this.#made, tasks: this.#tasks };
  }

  #take(line: string): void {
    const [word = '', first = '', ...rest] = line.split(' ');
    switch (word) {
      case 'config':
        this.#path = [first, ...rest].join('_');
        return;
      case 'edit':
        this.#id = first === '0' ? FREE.name : unquoted(first);
        this.#settings = {};
        return;
      case 'set':
        this.#settings[first.replaceAll('-', '_')] = valueOf(first, rest.join(' '));
        return;
      case 'next':
        this.#make();
        return;
      case 'end':
        return;
      // This command only reads.
      case 'show':
        return;
      default:
        this.#change(word, unquoted(first), rest);
    }
  }

  #change(word: string, id: string, [place = '', next = '']: readonly string[]): void {
    if (word === 'delete') this.#add(`Delete ${id}`, { state: 'absent', [this.#path]: { [this.#key()]: id } });
    else if (word === 'move' && place === 'before')
      this.#add('Move the policy before the one that currently matches', { action: 'move', self: id, before: next });
    else throw new Error(`No task says: ${[word, id, place, next].join(' ').trim()}`);
  }

  #key(): string {
    return this.#path === 'firewall_policy' ? 'policyid' : 'name';
  }

  #make(): void {
    const selector = this.#path.replace('firewall_service_', 'firewall.service_');
    this.#made.push({ selector, filter: `${this.#key()}==${this.#id}` });
    const fields = { [this.#key()]: this.#id, ...this.#settings };
    this.#add(`Create ${this.#id}`, { state: 'present', [this.#path]: fields });
  }

  #add(name: string, fields: Fields): void {
    this.#tasks.push({ name, [`fortinet.fortios.fortios_${this.#path}`]: { vdom: '{{ vdom }}', ...fields } });
  }
}

function valueOf(setting: string, text: string): Value {
  if (!LISTS.includes(setting)) return unquoted(text);
  return [...text.matchAll(/"([^"]+)"/gu)].map(([, name = '']) => ({ name }));
}

function unquoted(text: string): string {
  return text.replaceAll('"', '');
}
