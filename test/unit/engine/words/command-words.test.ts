import { describe, expect, test } from 'vitest';
import { remedyOf, type WordingFacts } from '../../../../src/engine/remedy-words.ts';

const FACTS: WordingFacts = { subject: 'mail.example.org:25', host: 'x.example', port: '443' };

const PEM = '-----BEGIN CERTIFICATE-----\nMIIB+/==\n-----END CERTIFICATE-----';

function fillCommands(commands: readonly string[], facts: Partial<WordingFacts> = {}) {
  const { remedySteps } = remedyOf([{ text: '', syntax: 'shell', commands, undo: null }], { ...FACTS, ...facts });
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
