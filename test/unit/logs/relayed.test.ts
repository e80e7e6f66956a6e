import { describe, expect, test } from 'vitest';
import { readEnvelope, timesOfLast } from '../../../src/logs/envelope.ts';
import { recogniseLine, recognisePasted } from '../../../src/logs/reader.ts';
import { createAttribution } from '../../../src/logs/senders.ts';
import { NO_OTHERS } from '../../support/logs/no-others.ts';
import { fixtureLines } from '../../support/logs/fixture-lines.ts';
import { shippedCatalogue } from '../../support/logs/signature-catalogue.ts';

const catalogue = await shippedCatalogue();
const ERROR = 'FTM polling error: problem with SSL comm layer: server connection failed: SSL session failed';

const { hostsIn } = createAttribution([], NO_OTHERS);

describe('a line that a relay sends', () => {
  test.each(fixtureLines('relayed-lines.txt').map((entry) => entry.split(' | ')))(
    'says the same to "explain": %s',
    (_, added = '') => {
      const line = added.replace('%s', `category="Event" user="" status="" ${ERROR}`);
      const found = [recogniseLine(catalogue, line), recognisePasted(catalogue, line)];
      expect(found.map((one) => one?.signature.id)).toEqual(['ftm-polling-ssl', 'ftm-polling-ssl']);
    },
  );

  test.each([
    { before: '<14>Nov 25 10:00:00 relay01 <12>Aug 14 22:40:02 fac01 db[1]: ', hosts: ['relay01', 'fac01'] },
    { before: 'Nov 25 10:00:00 relay01 Aug 14 22:40:02 db[1]: ', hosts: ['relay01'] },
    {
      before: '<14>1 2026-11-25T10:00:00Z relay01 - - - - <12>Aug 14 22:40:02 fac01 db[1]: ',
      hosts: ['relay01', 'fac01'],
    },
    { before: '2026/04/08 22:40:02 fac01 db[1]: ', hosts: ['fac01'] },
    { before: '2026-04-08 22:40:02\tLocal4.Warning\t10.0.0.5\tdb[1]: ', hosts: ['10.0.0.5'] },
    { before: '<12>Aug 14 22:40:02 UTC fac01 db[1]: ', hosts: ['fac01'] },
    { before: 'fac01 db[1]: ', hosts: ['fac01'] },
    { before: '<6>Aug 10 22:18:24 2009  fac01 db[1]: ', hosts: ['fac01'] },
    { before: '<6>Aug 10 22:18:24 2009 db[1]: ', hosts: [] },
    { before: '<6>Aug 10 22:18:24 fac01 db[1] ', hosts: ['fac01'] },
    { before: '2026 Jun 16 00:00:00 fac01->10.0.0.1 Aug 14 22:32:52 db[1]: ', hosts: ['fac01', '10.0.0.1'] },
    {
      before: '2026 Jun 16 00:00:00 (relay01) any->/var/log/fac.log Aug 14 22:32:52 fac01 db[1]: ',
      hosts: ['relay01', 'any', 'fac01'],
    },
    { before: '<12>Aug 14 22:40:02 db[1]: ', hosts: [] },
    { before: '<14>1 2026-11-25T10:00:00Z - - - - [fac@1 category="Event"] fac01 db[1]: ', hosts: ['fac01'] },
  ])('names its hosts: $before', ({ before, hosts }) => {
    const line = `${before}category="Event" status="" SSL session failed`;
    expect(readEnvelope(line).hosts.flat()).toEqual(hosts);
    expect([hostsIn(line).flat(), hostsIn(line).flat()]).toEqual([hosts, hosts]);
  });

  test.each([
    { text: 'message repeated 3 times: [ SSL session failed]', times: 3 },
    { text: 'message repeated 999999999 times: [ SSL session failed]', times: 1000 },
    { text: 'message repeated 0 times: [ SSL session failed]', times: 1 },
    { text: 'SSL session failed', times: 1 },
  ])('counts "$text" as $times', ({ text, times }) => {
    expect(readEnvelope(`<12>Aug 14 22:40:02 fac01 db[1]: ${text}`).times).toBe(times);
  });
});

describe('timesOfLast', () => {
  test.each([
    {
      line:
        '<12>Nov 25 17:16:01 127.0.0.5 db[1]: Last message \' category="Event" su\' repeated 3 times, suppressed ' +
        'by syslog-ng on vm',
      times: 3,
    },
    {
      line:
        '<12>1 2026-11-25T17:16:01Z h db 1 - [meta s="1"] Last message \'x\' repeated 2 times, suppressed by ' +
        'syslog-ng on vm',
      times: 2,
    },
    { line: 'Nov 25 17:16:01 fac01 last message repeated 99999 times', times: 1000 },
    {
      line: '<14>Nov 25 17:16:01 fac01 db[1]: category="Event" user="last message repeated 5 times" status="" x',
      times: 0,
    },
    { line: 'x', times: 0 },
  ])('reads $times from "$line"', ({ line, times }) => {
    expect(timesOfLast(line)).toBe(times);
  });
});
