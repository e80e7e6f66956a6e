import { describe, expect, test } from 'vitest';
import { blocksOf, type CommandStep, GENERAL_FACTS, headOf, shell } from '../../../../src/engine/model.ts';
import { fill, remedyOf, type WordingFacts } from '../../../../src/engine/remedy-words.ts';
import { quotation } from '../../../../src/engine/words.ts';

const FACTS: WordingFacts = { subject: 'mail.example.org:25', host: 'x.example', port: '443' };
const PEM = '-----BEGIN CERTIFICATE-----\nMIIB+/==\n-----END CERTIFICATE-----';
const LONG: CommandStep = {
  text: 'Do it on {firewall}.',
  syntax: 'fortios',
  commands: ['config a', '    edit "{host}"', '    next', 'end'],
  undo: ['config a', '    delete {newid}', 'end'],
};

const filled = (text: string, facts: Partial<WordingFacts> = {}): string => fill(text, { ...FACTS, ...facts });

function fillCommands(commands: readonly string[], facts: Partial<WordingFacts> = {}) {
  const { remedySteps } = remedyOf([{ text: '', syntax: 'shell', commands, undo: null }], { ...FACTS, ...facts });
  const [step] = remedySteps;
  if (step === undefined) throw new Error('Expected a step');
  return { text: step.commands, blanks: step.blanks };
}

describe('remedyOf()', () => {
  test('keeps sentences, ends them with short commands, and leaves long blocks to the steps', () => {
    const { remedy } = remedyOf(['Ask {host}.', shell('Look.', 'dig {host}'), shell('Look.', 'a', '  b'), LONG], FACTS);
    expect(remedy).toEqual([
      'Ask x.example.',
      `Look. Command: ${quotation('dig x.example')}.`,
      `Look. Commands: ${quotation('a')}, ${quotation('b')}.`,
      'Do it on the firewall.',
    ]);
  });

  test('tells a sentence, and a block with what has to be filled in, which is not ready', () => {
    const { remedySteps } = remedyOf(['Ask {host}.', LONG], FACTS);
    const meaning = expect.stringContaining('FortiGate');
    expect(remedySteps).toEqual([
      { text: 'Ask x.example.', commands: null, undo: null, syntax: null, blanks: [] },
      {
        text: 'Do it on the firewall.',
        commands: 'config a\n    edit "x.example"\n    next\nend',
        undo: 'config a\n    delete FILL-IN-NEW-ID\nend',
        syntax: 'fortios',
        blanks: [{ name: 'FILL-IN-NEW-ID', meaning }],
      },
    ]);
    const [ready, open] = remedySteps.flatMap(blocksOf).map(headOf);
    expect(ready).not.toContain('FILL-IN');
    expect(open).toContain('FILL-IN-NEW-ID');
  });
});

describe('fill()', () => {
  test('puts in what is known, as often as it is named', () => {
    const text = filled('{host}:{port} and {host} by {product}', { product: 'Squid' });
    expect(text).toBe('x.example:443 and x.example by Squid');
  });

  test.each([
    [{ quote: '550 [{port}|no]' }, 'Set mail[].to: "550 [{port}|no]" at x.example.'],
    [{}, 'Set mail[].to as in the evidence.'],
  ])('has other words for a fact that is unknown: %j', (facts, expected) => {
    expect(filled('Set mail[].to[: "{quote}" at {host}| as in the evidence].', facts)).toBe(expected);
  });

  test('leaves a name that nobody knows as it stands', () => {
    expect(filled('{nonsense} {constructor} {Host}')).toBe('{nonsense} {constructor} {Host}');
  });

  test.each(Object.keys(GENERAL_FACTS))('has general words for {%s} where nothing is known', (name) => {
    expect(filled(`{${name}}`)).not.toMatch(/[{}]|undefined/u);
  });

  test('names an unknown device by its authority', () => {
    expect(filled('{product}', { issuer: 'Acme CA' })).toContain('"Acme CA"');
    expect(filled('{appliance}', { issuer: 'Acme CA' })).toBe(filled('{appliance}'));
  });

  test('names the interface of a unit by its address', () => {
    expect(filled('{interface}', { address: '10.0.0.5' })).toBe('https://10.0.0.5');
    expect(filled('{interface}')).toContain('appliances[].api.url');
  });
});

describe('the placeholders in commands', () => {
  test.each<readonly [string, Partial<WordingFacts>, string]>([
    ['{sourceip}', { source: '10.0.0.5' }, '10.0.0.5'],
    ['{sourceip}', { source: '10.0.0.5, 10.0.0.6' }, 'FILL-IN-SOURCE-IP'],
    ['{sourceip}', {}, 'FILL-IN-SOURCE-IP'],
    ['{sourcefour}', { source: '2001:db8::5' }, 'FILL-IN-SOURCE-IP'],
    ['{serverip}', { address: '2001:db8::1' }, '2001:db8::1'],
    ['{serverip}', { address: 'server.test' }, 'FILL-IN-SERVER-IP'],
    ['{rootpem}', { rootpem: `${PEM}\n${PEM}\n` }, `${PEM}\n${PEM}`],
    ['{mailhost} {mailport}', {}, 'mail.example.org 25'],
    ['{mailhost} {mailport}', { subject: '[2001:db8::1]:25' }, '2001:db8::1 25'],
    ['{mailhost} {mailport}', { subject: 'mail.example.org' }, 'FILL-IN-MAIL-SERVER FILL-IN-MAIL-PORT'],
    ['{mailhost} {mailport}', { subject: 'the mail:25' }, 'FILL-IN-MAIL-SERVER FILL-IN-MAIL-PORT'],
    ['{mailserver}', { subject: '[2001:db8::1]:25' }, "'[2001:db8::1]:25'"],
    ['x {starttls}y', {}, 'x -starttls smtp y'],
    ['x {starttls}y', { security: 'none' }, 'x -starttls smtp y'],
    ['x {starttls}y', { security: 'tls' }, 'x y'],
    ['{resolverip}', { resolver: 'tcp://[2001:db8::53]:53' }, '2001:db8::53'],
    ['{resolverip}', { resolver: 'tls://9.9.9.9' }, 'FILL-IN-RESOLVER-IP'],
    ['{resolverip}', { resolver: 'system' }, 'FILL-IN-RESOLVER-IP'],
    ['{policyid}', { policy: '5 (web)' }, '5'],
    ['{policyid}', { policy: 'policy 5 "fac-out"' }, '5'],
    ['{policyid}', { policy: 'policy 5' }, '5'],
    ['{policyid}', { policy: 'some policy' }, 'FILL-IN-POLICY-ID'],
    ['"{inside}"', { incoming: 'port2' }, '"port2"'],
    ['"{inside}" "{outside}"', { incoming: 'port2, LAN zone', outgoing: 'any' }, '"port2" "LAN zone" "any"'],
    ['"{outside}"', { outgoing: 'wan1, a"b' }, '"FILL-IN-OUTSIDE"'],
    ['"{outside}"', { outgoing: '' }, '"FILL-IN-OUTSIDE"'],
    [
      '"{inside}" {policyid}',
      { incoming: 'a', policy: '5', source: '10.0.0.5, 10.0.0.6' },
      '"FILL-IN-INSIDE" FILL-IN-POLICY-ID',
    ],
    ['lookup {ingress}', { incoming: 'port2' }, 'lookup port2'],
    ['lookup {ingress}', { incoming: 'any' }, 'lookup FILL-IN-INSIDE'],
    ['lookup {ingress}', { incoming: 'port2, port3' }, 'lookup FILL-IN-INSIDE'],
    ['set {addresskey} "{policyhost}"{addressmask}', { host: '192.0.2.9' }, 'set subnet "192.0.2.9" 255.255.255.255'],
    ['a{config}', {}, 'a'],
    ['a{config}', { config: '/etc/f.yaml' }, 'a -c /etc/f.yaml'],
    ['a{config}', { config: '/my files/f.yaml' }, "a -c '/my files/f.yaml'"],
    ['a{config}', { config: '/etc/\n/f.yaml' }, 'aFILL-IN-CONFIG'],
  ])('%s with %j is %s', (text, facts, expected) => {
    expect(fillCommands([text], facts).text).toBe(expected);
  });

  test('says of an interface why it was not read', () => {
    const known: readonly Partial<WordingFacts>[] = [
      {},
      { firewall: 'f' },
      { firewall: 'f', policy: '5' },
      { firewall: 'f', policy: '5', outgoing: '' },
      { outgoing: 'wan1', source: '10.0.0.5, 10.0.0.6' },
      { runbook: true },
    ];
    const meanings = known.map((facts) => fillCommands(['"{outside}"'], facts).blanks[0]?.meaning);
    expect(new Set(meanings).size).toBe(meanings.length);
    const unsafe = fillCommands(['"{outside}"'], { firewall: 'f', policy: '5', outgoing: 'wan1"' });
    expect(unsafe.blanks[0]?.meaning).toBe(meanings[3]);
  });

  test('tells each blank once, with what belongs there', () => {
    const { text, blanks } = fillCommands(['{gateway}', '{gateway} {host}']);
    expect(text).toBe('FILL-IN-GATEWAY\nFILL-IN-GATEWAY x.example');
    expect(blanks).toEqual([{ name: 'FILL-IN-GATEWAY', meaning: expect.any(String) }]);
  });
});
