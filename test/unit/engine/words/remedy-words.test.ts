import { describe, expect, test } from 'vitest';
import { blocksOf, type CommandStep, headOf, shell } from '../../../../src/engine/model.ts';
import { fill, remedyOf, type WordingFacts } from '../../../../src/engine/remedy-words.ts';

const ANY_FACTS = { subject: 'x:443', host: 'x.example', port: '443' };
const LONG: CommandStep = {
  text: 'Do it on {firewall}.',
  syntax: 'fortios',
  commands: ['config a', '    edit "{host}"', '    next', 'end'],
  undo: ['config a', '    delete {newid}', 'end'],
};

describe('remedyOf()', () => {
  test('keeps sentences, ends them with short commands, and leaves long blocks to the steps', () => {
    const { remedy } = remedyOf(
      ['Ask {host}.', shell('Look.', 'dig {host}'), shell('Look.', 'a', '  b'), LONG],
      ANY_FACTS,
    );
    expect(remedy).toEqual([
      'Ask x.example.',
      'Look. Command: "dig x.example".',
      'Look. Commands: "a", "b".',
      'Do it on the firewall.',
    ]);
  });

  test('tells a sentence, and a block with what has to be filled in', () => {
    expect(remedyOf(['Ask {host}.', LONG], ANY_FACTS).remedySteps).toEqual([
      { text: 'Ask x.example.', commands: null, undo: null, syntax: null, blanks: [] },
      {
        text: 'Do it on the firewall.',
        commands: 'config a\n    edit "x.example"\n    next\nend',
        undo: 'config a\n    delete FILL-IN-NEW-ID\nend',
        syntax: 'fortios',
        blanks: [{ name: 'FILL-IN-NEW-ID', meaning: 'the ID that the FortiGate assigned to the new policy' }],
      },
    ]);
  });
});

test('only a block without a blank is called ready', () => {
  const blocks = remedyOf(['Ask.', LONG], ANY_FACTS).remedySteps.flatMap(blocksOf);
  expect(blocks.map(headOf)).toEqual([
    'FortiGate CLI, ready to copy:',
    'Undo, not ready: FILL-IN-NEW-ID is the ID that the FortiGate assigned to the new policy:',
  ]);
});

const FACTS: WordingFacts = { subject: 'mail.example.org:25', host: 'server.test', port: '443' };

const filled = (text: string, facts: Partial<WordingFacts> = {}): string => fill(text, { ...FACTS, ...facts });

describe('fill()', () => {
  test('puts in what is known, as often as it is named', () => {
    expect(filled('{host}:{port} and {host} by {product}', { product: 'Squid' })).toBe(
      'server.test:443 and server.test by Squid',
    );
  });

  test('leaves a name that nobody knows as it stands', () => {
    expect(filled('{nonsense} {constructor} {Host}')).toBe('{nonsense} {constructor} {Host}');
  });

  test.each([
    ['{address} fail and {clean} works', 'its addresses fail and no other address works'],
    ['through {proxy}, by {resolver}', 'through the proxy, by the resolver'],
    [
      '{product} of {issuer}',
      'an inspecting device that is not in the product catalogue of an authority without a name',
    ],
    ['{appliance} {failing}', 'FortiAuthenticator does not answer'],
    ['{serial}', 'the serial number of this FortiAuthenticator'],
    ['{primary}, {holder}, {license}', 'the active unit, another unit, the licence'],
    ['{configured}, {found}', 'the configured value, a different value'],
    ['{firewall}, {policy}, {profile}', 'the firewall, the matching policy, its inspection profile'],
    ['{source}', 'FortiAuthenticator'],
    ['{security}', 'starttls'],
    ['{unclear}', 'a part of the path could not be checked'],
    ['{judgement}.', "The licence server's certificate is not valid."],
  ])('says %s in general words where nothing is known', (text, expected) => {
    expect(filled(text)).toContain(expected);
  });

  test('names an unknown device by its authority', () => {
    expect(filled('{product}', { issuer: 'Acme CA' })).toBe('"Acme CA", which is not in the product catalogue');
    expect(filled('{appliance}', { issuer: 'Acme CA' })).toBe('FortiAuthenticator');
  });
});

test.each<readonly [Partial<WordingFacts>, string]>([
  [{ address: '10.0.0.5' }, 'https://10.0.0.5'],
  [{}, 'the URL in appliances[].api.url'],
])('the interface of a unit with %j is %s', (facts, expected) => {
  expect(filled('{interface}', facts)).toBe(expected);
});

const MAIL_FACTS: WordingFacts = { subject: 'mail.example.org:25', host: 'x.example', port: '443' };

const PEM = '-----BEGIN CERTIFICATE-----\nMIIB+/==\n-----END CERTIFICATE-----';

function fillCommands(commands: readonly string[], facts: Partial<WordingFacts> = {}) {
  const { remedySteps } = remedyOf([{ text: '', syntax: 'shell', commands, undo: null }], { ...MAIL_FACTS, ...facts });
  const [step] = remedySteps;
  if (step === undefined) throw new Error('Expected a step');
  return { text: step.commands, blanks: step.blanks };
}

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
    ['{policyid}', { policy: 'the policy that matches' }, 'FILL-IN-POLICY-ID'],
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

  test.each<readonly [Partial<WordingFacts>, string]>([
    [{}, 'no FortiGate reported which policy matches'],
    [{ firewall: 'f' }, 'no policy currently matches'],
    [{ firewall: 'f', policy: '5' }, 'the matching policy does not contain this value'],
    [{ firewall: 'f', policy: '5', outgoing: '' }, 'this command cannot contain the value from the matching policy'],
    [{ outgoing: 'wan1', source: '10.0.0.5, 10.0.0.6' }, 'each source address can have a different policy'],
    [
      { firewall: 'f', policy: '5', outgoing: 'wan1"' },
      'this command cannot contain the value from the matching policy',
    ],
  ])('says of an interface why it was not read: %j', (facts, reason) => {
    const [blank] = fillCommands(['"{outside}"'], facts).blanks;
    expect(blank?.meaning).toBe(`the interface on which the traffic leaves for the internet (not read: ${reason})`);
  });

  test('tells each blank once, with what belongs there', () => {
    expect(fillCommands(['{gateway}', '{gateway} {host}'])).toEqual({
      text: 'FILL-IN-GATEWAY\nFILL-IN-GATEWAY x.example',
      blanks: [{ name: 'FILL-IN-GATEWAY', meaning: 'the address of the default gateway' }],
    });
  });
});
