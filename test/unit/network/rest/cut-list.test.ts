import { expect, it } from 'vitest';
import * as z from 'zod';
import { cutList } from '../../../../src/network/rest/reply-values.ts';

it('looks at no more items than that', () => {
  const list = cutList(z.number(), 2);

  expect(list.parse([1, 2, 'x', 'y'])).toEqual([1, 2]);
  expect(list.safeParse([1, 'x', 'y']).error?.issues).toHaveLength(1);
  expect(list.safeParse('not a list').success).toBe(false);
});
