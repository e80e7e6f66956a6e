import { describe, expect, test } from 'vitest';
import { dropsInTable } from '../../../src/logs/listen-udp.ts';

/** The table as a little-endian machine prints it. */
const TABLE = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  211: 00000000:158A 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 23456 2 0000000000000000 17
  212: 0100007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 23457 2 0000000000000000 3
  213: 00000000000000000000000000000000:158A 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 23458 2 0000000000000000 4
  214: B80D0120000000000000000001000000:158A 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 23459 2 0000000000000000 5
  215: 000080FE000000000000000001000000:158A 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 23460 2 0000000000000000 6
`;

describe('dropsInTable', () => {
  test.each([
    { address: '0.0.0.0', port: 5514, drops: [17] },
    { address: '127.0.0.1', port: 53, drops: [3] },
    { address: '127.0.0.2', port: 53, drops: [] },
    { address: '0.0.0.0', port: 53, drops: [] },
    { address: '0.0.0.0', port: 5353, drops: [] },
    { address: '::', port: 5514, drops: [4] },
    { address: '2001:db8::1', port: 5514, drops: [5] },
    { address: 'fe80::1%eth0', port: 5514, drops: [6] },
    { address: '::1', port: 5514, drops: [] },
  ])('finds the drops of $address, port $port', ({ drops, ...bound }) => {
    expect(dropsInTable(TABLE, bound, 'LE')).toEqual(drops);
  });

  test('reads the table of a big-endian machine', () => {
    expect(dropsInTable(TABLE.replace('0100007F', '7F000001'), { address: '127.0.0.1', port: 53 }, 'BE')).toEqual([3]);
  });

  test('takes nothing from a table of another shape', () => {
    expect(dropsInTable('', { address: '0.0.0.0', port: 5514 }, 'LE')).toEqual([]);
    expect(dropsInTable('head\n x 00000000:158A y z', { address: '0.0.0.0', port: 5514 }, 'LE')).toEqual([]);
  });
});
