import { test } from 'vitest';
import { CAUSE_IDS, CHECKS, isFaultId, wordsOf } from '../../src/checks/registry.ts';
import { expectRecorded, outline } from './recorded.ts';

test('checks and causes', async () => {
  const checks = CHECKS.map((check) => [check.id, outline({ ...check, causes: Object.keys(check.causes) })] as const);
  const causes = CAUSE_IDS.map((id) => [`${id}${isFaultId(id) ? '' : ' (any check)'}`, outline(wordsOf(id))] as const);
  await expectRecorded('causes', Object.fromEntries([...checks, ...causes]));
});
