import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import type { RemedyStep, Step } from '../../../src/engine/model.ts';
import { readPem } from '../../../src/tls/pem.ts';
import { remedyOf, type WordingFacts } from '../../../src/engine/remedy-words.ts';
import { textOfStep } from '../../support/checks/text-of-step.ts';
import { catalogueSteps } from './catalogue-steps.ts';
import { EMPTY, runFortiOs } from './fortios.ts';
import type { ConnectionFault } from '../../../src/checks/intermittent/sampling.ts';
import { nameResolution } from '../../../src/checks/name-resolution/judge.ts';
import { ANOTHER_SERVER, INCOMPLETE_PUBLIC_CHAIN } from '../../../src/checks/tls-genuine/causes.ts';
import { judgedBy } from '../../support/checks/judged-by.ts';
import { path } from '../../support/checks/observed.ts';
import { intermittentFinding, RESET } from '../../support/checks/sampled.ts';

const ADDRESS = '192.0.2.9';
const LICENSE_SERVER = {
  host: 'license.example.test',
  port: 443,
  path: '/',
  family: 6,
  proxy: null,
  serverName: null,
  expectedAddresses: [],
} as const;

function intermittentAt(stage: ConnectionFault['stage']): readonly Step[] {
  return intermittentFinding({ [ADDRESS]: '.x.x.x.x.x.x.x.x.x.x' }, { ...RESET, stage }).advice?.remedy ?? [];
}

function withoutFamily(): readonly Step[] {
  const reply = { kind: 'answer', rcode: 'NOERROR', cnames: [], ttlSeconds: 60, durationMs: 3, attempts: 1 } as const;
  const a = { ...reply, addresses: ['173.243.138.84'] };
  const names = [{ resolver: 'system', name: LICENSE_SERVER.host, a, aaaa: { ...reply, addresses: [] } }];
  const facts = { path: path({ host: LICENSE_SERVER.host, names }), licenseServer: LICENSE_SERVER };
  return judgedBy(nameResolution, facts).flatMap(({ advice }) => advice?.remedy ?? []);
}

/** Remedies with commands that judges add and that replace the catalogue's, with their names. */
const ADVISED_STEPS: readonly (readonly [name: string, steps: readonly Step[]])[] = [
  ['is intermittent at the port', intermittentAt('reachability')],
  ['is intermittent at TLS', intermittentAt('tls-genuine')],
  ['no address of the family', withoutFamily()],
  ['another server answers', ANOTHER_SERVER.remedy],
  ['the public authority was not sent', INCOMPLETE_PUBLIC_CHAIN.remedy],
];

const NOTHING_KNOWN: WordingFacts = { subject: 'x:443', host: 'the licence server', port: '443' };
const KNOWN: WordingFacts = {
  subject: 'mail.example:25',
  host: 'fortitokenmobile.fortinet.com',
  port: '8443',
  source: '10.0.0.5',
  address: '192.0.2.9',
  proxy: 'p.example:3128',
  resolver: 'udp://10.0.0.53:53',
  firewall: 'FortiGate 10.0.0.1 (VDOM dmz)',
  vdom: 'dmz',
  policy: '5 "to the internet"',
  incoming: 'port2, Büro LAN',
  outgoing: 'wan1',
  nat: 'enable, pool-1, pool 2',
  schedule: 'office hours',
  config: '/etc/ftm-watch/ftm-watch.yaml',
};
const SIX: WordingFacts = {
  ...KNOWN,
  subject: '[2001:db8::25]:25',
  host: '2001:db8::9',
  source: '2001:db8::5',
  address: '2001:db8::9',
  proxy: '[2001:db8::3]:3128',
  resolver: '2001:db8::53',
};
/** Worst-case values, in case a check of the configuration or of an answer fails. */
const HOSTILE: WordingFacts = {
  subject: '$(reboot):25',
  host: 'a" ; reboot #',
  port: '443; reboot',
  source: '10.0.0.5"\nend',
  address: '`reboot`',
  proxy: '$(reboot):3128',
  resolver: 'udp://10.0.0.53 -x:53',
  firewall: 'f',
  vdom: 'root\nreboot',
  policy: '5\ndelete 1',
  nat: 'enable, a"\nreboot',
  schedule: 'always"\nreboot',
  incoming: 'port2, a"\nreboot',
  outgoing: 'wan1"\nend\nreboot',
  config: "/etc/it's $(reboot)/a b.yaml",
};
const FACTS = { NOTHING_KNOWN, KNOWN, SIX, HOSTILE };

const REMEDIES = [...catalogueSteps(), ...ADVISED_STEPS];
const CASES = Object.entries(FACTS).flatMap(([known, facts]) =>
  REMEDIES.filter(([, steps]) => steps.some((step) => typeof step !== 'string')).map(
    ([name, steps]) => ({ name: `${name}, ${known}`, steps: remedyOf(steps, facts).remedySteps }) as const,
  ),
);
/** Programs that shell blocks are allowed to run. */
const PROGRAMS =
  /^(?:cat|chronyc|cp|curl|df|dig|ftm-watch|getent|grep|ip|mtr|mv|nc|nft|openssl|ping|ss|sysctl|tcpdump|timedatectl|tracepath)(?= |$)[^;&|`$\n]*$/u;
const SHELL_QUOTED = /'(?:[^']|'\\'')*'/gu;
/** Read-only commands: ta-p/194050, ta-p/327581, ta-p/385019, ta-p/383334. */
const FORTIAUTHENTICATOR =
  /^(?:execute (?:ping|nslookup) [\w.:-]+|execute tcpdump [\w .:-]+|get hard mem|diagnose system ntp status)$/u;
/** CLI and shell lines that change something. */
const CHANGES = /^(?:config (?!vdom$)|diagnose debug |cp |mv |ftm-watch trust learn)/mu;

/** Returns the problems of a block for its declared syntax. */
function problemsOf(block: string, syntax: RemedyStep['syntax']): readonly string[] {
  const lines = block.split('\n');
  switch (syntax) {
    case 'shell':
      return [
        ...lines.filter((line) => !PROGRAMS.test(line.replaceAll(SHELL_QUOTED, 'x'))),
        ...spawnSync('bash', ['-n'], { input: block, encoding: 'utf8' }).stderr.split('\n').filter(Boolean),
      ];
    case 'fortios':
      return problemsOfFortiOs(block);
    case 'fortiauthenticator':
      return lines.filter((line) => !FORTIAUTHENTICATOR.test(line));
    case 'pem':
      return readPem(block).length > 0 ? [] : ['A block without a certificate'];
    case null:
      return ['A block without a syntax'];
  }
}

function problemsOfFortiOs(block: string): readonly string[] {
  try {
    runFortiOs(EMPTY, block);
    return [];
  } catch (error) {
    return [String(error)];
  }
}

/** Reports whether the step moves a policy, which requires existing policies. */
function isMove({ commands }: RemedyStep): boolean {
  return commands?.includes('\n    move ') === true;
}

describe('each block of the catalogue', () => {
  const blocks = CASES.flatMap(({ name, steps }) =>
    steps
      .filter((step) => !isMove(step))
      .flatMap(({ commands, undo, syntax }) =>
        [commands, undo].flatMap((block) => (block === null ? [] : [{ name, block, syntax }])),
      ),
  );
  // Many cases advise the same block.
  test.each([...new Map(blocks.map((row) => [`${String(row.syntax)} ${row.block}`, row])).values()])(
    'is what it claims to be: $name',
    ({ block, syntax }) => {
      expect(problemsOf(block, syntax)).toEqual([]);
    },
  );

  test.each(CASES)('has its way back, if it changes anything: $name', ({ steps }) => {
    for (const { commands, undo } of steps) expect(undo !== null).toBe(CHANGES.test(commands ?? ''));
  });

  test.each(CASES)('marks what is not known, and says what belongs there: $name', ({ steps }) => {
    for (const { commands, undo, blanks } of steps) {
      const text = `${commands ?? ''}\n${undo ?? ''}`;
      expect(text).not.toMatch(/\{[a-z]+\}|undefined/u);
      const marked = new Set(
        [...text.matchAll(/FILL-IN-[A-Z]+(?:-(?:IP|ID|FILE|PORT|SERVER))?/gu)].map(([name]) => name),
      );
      expect([...marked].toSorted()).toEqual(blanks.map(({ name }) => name).toSorted());
      for (const { meaning } of blanks) expect(meaning).toMatch(/^[a-z].{5,}[^.]$/u);
    }
  });
});

test.each(REMEDIES)('no sentence hides a command: %s', (_, steps) => {
  for (const text of steps.map(textOfStep))
    expect(text).not.toMatch(/"(?:config|curl|diagnose|dig|execute|ftm-watch|get|ip|nc|openssl|ping|set|show) [^"]+"/u);
});

/** A FortiGate with someone else's policies. */
const OTHERS = {
  tables: new Map([['firewall policy', ['3', '5', '9'].map((id) => ({ id, settings: [`name "theirs ${id}"`] }))]]),
};

describe('a policy of its own', () => {
  const [, create, move] = remedyOf(
    catalogueSteps().flatMap(([name, steps]) => (name === 'policy-inspects-traffic' ? steps : [])),
    KNOWN,
  ).remedySteps;
  const filled = (block: string | null | undefined): string => (block ?? '').replaceAll('FILL-IN-NEW-ID', '10');

  test('stands directly before the policy that matches, for one source, one destination and one service', () => {
    const after = runFortiOs(runFortiOs(OTHERS, filled(create?.commands)), filled(move?.commands));
    const policies = after.tables.get('firewall policy') ?? [];
    expect(policies.map(({ id }) => id)).toEqual(['3', '10', '5', '9']);
    expect(policies[1]?.settings).toEqual(
      expect.arrayContaining([
        'srcintf "port2" "Büro LAN"',
        'dstintf "wan1"',
        'srcaddr "ftm-watch-10.0.0.5"',
        'dstaddr "ftm-watch-fortitokenmobile.fortinet.com"',
        'service "ftm-watch-tcp-8443"',
      ]),
    );
    expect(after.tables.get('firewall address')?.flatMap(({ settings }) => settings)).toEqual([
      'subnet 10.0.0.5 255.255.255.255',
      'type fqdn',
      'fqdn "fortitokenmobile.fortinet.com"',
    ]);
  });

  test('goes with its way back, and leaves everything as it was', () => {
    const after = runFortiOs(runFortiOs(OTHERS, filled(create?.commands)), filled(move?.commands));
    expect(runFortiOs(after, filled(create?.undo))).toEqual(OTHERS);
    expect(runFortiOs(runFortiOs(after, filled(move?.undo)), filled(create?.undo))).toEqual(OTHERS);
  });
});

describe('the words of commands', () => {
  const commandsOf = (facts: WordingFacts): readonly string[] =>
    REMEDIES.flatMap(([, steps]) =>
      remedyOf(steps, facts).remedySteps.flatMap(({ commands }) => commands?.split('\n') ?? []),
    );

  test('are the addresses, ports and servers that are known', () => {
    expect(commandsOf({ ...KNOWN, incoming: 'dmz' })).toEqual(
      expect.arrayContaining([
        'diagnose firewall iprope lookup 10.0.0.5 50000 192.0.2.9 8443 6 dmz',
        "diagnose sniffer packet any 'host 192.0.2.9 and port 8443' 6 200 l",
        'dig fortitokenmobile.fortinet.com @10.0.0.53',
        'nc -v mail.example 25',
        'openssl s_client -starttls smtp -connect mail.example:25 </dev/null',
        'curl -v -x http://p.example:3128 https://fortitokenmobile.fortinet.com:8443/',
        'ftm-watch check -c /etc/ftm-watch/ftm-watch.yaml',
        '    move FILL-IN-NEW-ID before 5',
      ]),
    );
    expect(commandsOf({ ...KNOWN, security: 'tls' })).toContain('openssl s_client -connect mail.example:25 </dev/null');
    expect(commandsOf(SIX)).toEqual(
      expect.arrayContaining(['nc -v 2001:db8::25 25', "openssl s_client -connect '[2001:db8::9]:8443' </dev/null"]),
    );
  });

  test('name no configuration where the defaults are used', () => {
    expect(commandsOf(NOTHING_KNOWN)).toContain('ftm-watch check');
  });

  test('give a shell the name of the configuration as one word', () => {
    const line = commandsOf(HOSTILE).find((command) => command.startsWith('ftm-watch check')) ?? '';
    const { stdout } = spawnSync('bash', ['-c', `ftm-watch() { printf '%s\n' "$@"; }; ${line}`], { encoding: 'utf8' });
    expect(stdout).toBe(`check\n-c\n${HOSTILE.config ?? ''}\n`);
  });

  test('hold nothing of what no address, port or name can be', () => {
    const others = commandsOf(HOSTILE).filter((line) => !line.startsWith('ftm-watch '));
    expect(others.join('\n')).not.toMatch(/reboot|delete 1/u);
  });
});
