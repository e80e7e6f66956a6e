import { describe, expect, test } from 'vitest';
import { dropsInTable } from '../../../../src/sources/log/kernel-drops.ts';

const TABLE = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  211: 00000000:158A 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 23456 2 0000000000000000 17
  212: 0100007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 23457 2 0000000000000000 3
`;

describe('dropsInTable', () => {
  test.each([
    { port: 5514, drops: [17] },
    { port: 53, drops: [3] },
    { port: 5353, drops: [] },
  ])('finds the drops of port $port', ({ port, drops }) => {
    expect(dropsInTable(TABLE, port)).toEqual(drops);
  });

  test('takes nothing from a table of another shape', () => {
    expect(dropsInTable('', 5514)).toEqual([]);
    expect(dropsInTable('head\n x :158A y z', 5514)).toEqual([]);
  });
});
