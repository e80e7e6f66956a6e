/**
 * The state that blocks of FortiGate CLI commands change: a small part of FortiOS, with the tables to which blocks
 * write.
 */
export interface FortiOs {
  /** By path, in order. The first policy that matches applies. */
  readonly tables: ReadonlyMap<string, readonly Entry[]>;
}

export interface Entry {
  /** A name or a policy number. */
  readonly id: string;
  /** `set` lines without that word. */
  readonly settings: readonly string[];
}

/** Paths of tables to which a block can write. */
const TABLES = ['firewall address', 'firewall service custom', 'firewall policy'] as const;
/** The table that defines each kind of object in a policy. */
const REFERENCES: Readonly<Record<string, string>> = {
  srcaddr: 'firewall address',
  dstaddr: 'firewall address',
  service: 'firewall service custom',
};
const INTERFACES = /^"[\p{L}\p{N}_.:/@+ -]{1,79}"(?: "[\p{L}\p{N}_.:/@+ -]{1,79}")*$/u;
/** Settings of each table that blocks use, as in the CLI reference, with patterns for their values. */
const SETTINGS: Readonly<Record<string, Readonly<Record<string, RegExp>>>> = {
  'firewall address': {
    subnet: /^"?\d+\.\d+\.\d+\.\d+"? 255\.255\.255\.255$|^FILL-IN-SOURCE-IP 255\.255\.255\.255$/u,
    type: /^(?:fqdn|ipmask)$/u,
    fqdn: /^"[\w.-]{1,255}"$/u,
  },
  'firewall service custom': { 'tcp-portrange': /^(?:\d{1,5}|FILL-IN-PORT)$/u },
  'firewall policy': {
    name: /^"ftm-watch-[^"]{1,27}"$/u,
    srcintf: INTERFACES,
    dstintf: INTERFACES,
    action: /^accept$/u,
    srcaddr: /^"ftm-watch-[^"]+"$/u,
    dstaddr: /^"ftm-watch-[^"]+"$/u,
    schedule: /^"[^"]{1,35}"$/u,
    service: /^"ftm-watch-[^"]+"$/u,
    'utm-status': /^disable$/u,
    'ssl-ssh-profile': /^"no-inspection"$/u,
    logtraffic: /^all$/u,
    nat: /^(?:enable|disable|FILL-IN-NAT)$/u,
    ippool: /^enable$/u,
    poolname: INTERFACES,
    'tcp-mss-sender': /^\d+$/u,
    'tcp-mss-receiver': /^\d+$/u,
  },
};
/** Settings that can be changed in an existing policy, because the block that changes them has an undo. */
const SWITCHES: Readonly<Record<string, RegExp>> = { 'auto-asic-offload': /^(?:enable|disable)$/u };
/** Where a switch with a value other than the FortiOS default is kept. */
const SWITCHED = 'switched policies';
const LOOKING = /^(?:diagnose|execute|get|show) [\w ./:@'"-]+(?: \| grep -f "[^"]+")?$/u;

export const EMPTY: FortiOs = { tables: new Map() };

/**
 * Runs a block. @returns the resulting configuration
 * @throws {Error} on an invalid line, on an edit of an existing object, and on an undefined object
 */
export function runFortiOs(before: FortiOs, block: string): FortiOs {
  const run = new Run(before);
  for (const line of block.split('\n')) run.take(line.trim());
  return run.finished();
}

class Run {
  readonly #tables: Map<string, Entry[]>;
  readonly #foreign: ReadonlySet<string>;
  #path: string | null = null;
  /** A virtual domain is entered with two lines and left with `end`. */
  #vdom: 'outside' | 'entering' | 'inside' = 'outside';
  #entry: { readonly id: string; readonly settings: string[] } | null = null;

  constructor({ tables }: FortiOs) {
    this.#tables = new Map([...tables].map(([path, entries]) => [path, [...entries]]));
    this.#foreign = new Set([...tables].flatMap(([path, entries]) => entries.map(({ id }) => `${path} ${id}`)));
  }

  take(line: string): void {
    const [, word = '', rest = ''] = /^(\S+) ?(.*)$/u.exec(line) ?? [];
    if (this.#path === null) this.#atTop(word, rest, line);
    else if (this.#entry === null) this.#inTable(this.#path, word, rest);
    else this.#inEntry(this.#path, this.#entry, word, rest);
  }

  finished(): FortiOs {
    if (this.#path !== null) throw new Error(`"config ${this.#path}" is not ended`);
    if (this.#vdom !== 'outside') throw new Error('The virtual domain is not left');
    return { tables: new Map([...this.#tables].filter(([, entries]) => entries.length > 0)) };
  }

  #atTop(word: string, rest: string, line: string): void {
    if (this.#vdom === 'entering' && word === 'edit' && /^(?:[\w-]{1,31}|FILL-IN-VDOM)$/u.test(rest))
      this.#vdom = 'inside';
    else if (this.#vdom === 'outside' && line === 'config vdom') this.#vdom = 'entering';
    else if (this.#vdom === 'inside' && line === 'end') this.#vdom = 'outside';
    else if (word === 'config' && TABLES.some((path) => path === rest)) this.#path = rest;
    else if (!LOOKING.test(line)) throw new Error(`Not a command: ${line}`);
  }

  #inTable(path: string, word: string, rest: string): void {
    switch (word) {
      case 'edit':
        this.#edit(path, unquoted(rest));
        return;
      case 'delete':
        this.#delete(path, unquoted(rest));
        return;
      case 'move':
        this.#move(path, rest);
        return;
      case 'end':
        this.#path = null;
        return;
      default:
        throw new Error(`Not in "config ${path}": ${word} ${rest}`);
    }
  }

  #edit(path: string, id: string): void {
    const isPolicy = path === 'firewall policy';
    if (isPolicy && /^(?:[1-9]\d*|FILL-IN-POLICY-ID)$/u.test(id)) {
      this.#path = SWITCHED;
      this.#entry = { id, settings: [] };
      return;
    }
    if (isPolicy !== (id === '0')) throw new Error(`Not a new entry of ${path}: ${id}`);
    if (!isPolicy && !id.startsWith('ftm-watch-')) throw new Error(`Not a name of ours: ${id}`);
    const numbers = this.#entries(path).map((entry) => Number(entry.id));
    this.#entry = { id: isPolicy ? String(Math.max(0, ...numbers) + 1) : id, settings: [] };
  }

  #inEntry(
    path: string,
    entry: { readonly id: string; readonly settings: string[] },
    word: string,
    rest: string,
  ): void {
    const [, key = '', value = ''] = /^(\S+) (.+)$/u.exec(rest) ?? [];
    if (path === SWITCHED) {
      this.#switch(entry.id, word, key, value);
      return;
    }
    if (word === 'set' && SETTINGS[path]?.[key]?.test(value) === true) {
      this.#mustBeDefined(key, value);
      entry.settings.push(rest);
      return;
    }
    if (word !== 'next' || rest !== '') throw new Error(`Not in an entry of "config ${path}": ${word} ${rest}`);
    this.#store(path, entry);
    this.#entry = null;
  }

  #switch(id: string, word: string, key: string, value: string): void {
    if (word === 'next') {
      this.#path = 'firewall policy';
      this.#entry = null;
    } else if (word !== 'set' || SWITCHES[key]?.test(value) !== true)
      throw new Error(`Not to be set in policy ${id}, which was there before: ${key}`);
    else {
      const others = this.#entries(SWITCHED).filter((entry) => entry.id !== id);
      this.#tables.set(SWITCHED, value === 'enable' ? others : [...others, { id, settings: [`${key} ${value}`] }]);
    }
  }

  #store(path: string, entry: Entry): void {
    const known = this.#entries(path).find(({ id }) => id === entry.id);
    const isSame = known !== undefined && known.settings.join('\n') === entry.settings.join('\n');
    if (this.#foreign.has(`${path} ${entry.id}`) && !isSame) throw new Error(`${path} ${entry.id} was there before`);
    this.#tables.set(path, [...this.#entries(path).filter(({ id }) => id !== entry.id), entry]);
  }

  #mustBeDefined(key: string, value: string): void {
    const path = Object.hasOwn(REFERENCES, key) ? REFERENCES[key] : undefined;
    if (path !== undefined && !this.#entries(path).some(({ id }) => id === unquoted(value)))
      throw new Error(`${value} is used and not defined`);
  }

  /** Deleting a missing object is rejected with a message, and the lines after it are executed. */
  #delete(path: string, id: string): void {
    const found = this.#entries(path).find((entry) => entry.id === id);
    if (found !== undefined && !(found.id + found.settings.join(' ')).includes('ftm-watch-'))
      throw new Error(`${path} ${id} is not ours`);
    const users = this.#entries('firewall policy').filter(({ settings }) => settings.join('\n').includes(`"${id}"`));
    if (path === 'firewall policy' || users.length === 0)
      this.#tables.set(
        path,
        this.#entries(path).filter((entry) => entry.id !== id),
      );
  }

  #move(path: string, rest: string): void {
    const [, id = '', next = ''] = /^(\d+) before (\d+)$/u.exec(rest) ?? [];
    const entries = this.#entries(path);
    const moved = entries.find((entry) => entry.id === id);
    const at = entries.findIndex((entry) => entry.id === next);
    if (path !== 'firewall policy' || moved === undefined || at < 0) throw new Error(`Cannot move: ${rest}`);
    if (this.#foreign.has(`${path} ${id}`) && !moved.settings.join(' ').includes('ftm-watch-'))
      throw new Error(`Policy ${id} is not ours`);
    const others = entries.filter((entry) => entry !== moved);
    const place = others.findIndex((entry) => entry.id === next);
    this.#tables.set(path, [...others.slice(0, place), moved, ...others.slice(place)]);
  }

  #entries(path: string): readonly Entry[] {
    return this.#tables.get(path) ?? [];
  }
}

function unquoted(text: string): string {
  return text.replaceAll('"', '');
}
