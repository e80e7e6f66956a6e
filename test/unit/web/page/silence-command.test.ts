import { execFileSync } from 'node:child_process';
import { userInfo } from 'node:os';
import { describe, expect, test } from 'vitest';
import { acknowledgeCommand, silenceCommand } from '../../../../src/document/incident-story.ts';

describe('silenceCommand()', () => {
  test('names cause and subject', () => {
    expect(silenceCommand({ id: 'tls-intercepted', subject: 'fortitokenmobile.fortinet.com:443' })).toBe(
      'ftm-watch silence add --for 2h --cause tls-intercepted --subject fortitokenmobile.fortinet.com:443 ' +
        "--comment 'being repaired'",
    );
  });

  test.each(['two words', "it's", '$(touch /tmp/owned)', '`id`', '; rm -rf /', '-x', '"', '\\'])(
    'quotes %j for the shell',
    (subject) => {
      const command = silenceCommand({ id: 'clock-skewed', subject });
      const words = execFileSync(
        'sh',
        ['-c', `ftm_watch() { printf '%s\\n' "$@"; }; ${command.replace('ftm-watch', 'ftm_watch')}`],
        {
          encoding: 'utf8',
        },
      );

      expect(words).toBe(
        `silence\nadd\n--for\n2h\n--cause\nclock-skewed\n--subject\n${subject}\n--comment\nbeing repaired\n`,
      );
    },
  );

  test.each([
    ['no subject', ''],
    ['line breaks', 'a\nb'],
    ['direction marks', 'a\u202eb'],
    ['a novel', 'x'.repeat(256)],
  ])('means every subject where it has %s', (_, subject) => {
    expect(silenceCommand({ id: 'clock-skewed', subject })).not.toContain('--subject');
  });
});

test('acknowledgeCommand() quotes the path of the socket', () => {
  const command = acknowledgeCommand([{ id: 'a' }, { id: 'b c' }], "/it's/a b.sock");
  const words = execFileSync('sh', ['-c', `curl() { printf '%s\\n' "$@"; }; ${command}`], {
    encoding: 'utf8',
  });
  expect(words.split('\n').slice(2)).toEqual([
    "/it's/a b.sock",
    'http://localhost/incidents/acknowledge',
    '-d',
    'incidents=a,b%20c',
    '-d',
    `by=${userInfo().username}`,
    '',
  ]);
});
