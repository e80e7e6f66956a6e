import { describe, expect, test } from 'vitest';
import { judgeTls } from '../../../src/checks/tls-genuine/verdict.ts';
import { loadRoundMemory, type RoundMemory } from '../../../src/round/memory.ts';
import type { JsonFile } from '../../../src/system/json-file.ts';
import { pinOf } from '../../support/certificates/chains.ts';
import { handClock } from '../../support/time/hand-clock.ts';
import { TARGET } from '../../support/certificates/interception-world.ts';
import { path } from '../../support/checks/observed.ts';
import { createCast } from '../../support/certificates/verdict-cast.ts';
import { sees } from '../../support/certificates/verdict-rows.ts';

const w = await createCast();
const { genuine, now } = w;

function fileOf(content: unknown): JsonFile & { content: unknown } {
  const file = {
    content,
    load: () => Promise.resolve(file.content),
    save: (value: unknown) => {
      file.content = value;
      return Promise.resolve();
    },
  };
  return file;
}

function judged(seen: Parameters<typeof w.evidence>[0]) {
  return [{ path: path({ subject: TARGET }), judged: { endpoints: [], worst: judgeTls(w.evidence(seen)) } }];
}

async function loadGenuineMemory(file: JsonFile | null, at: number): Promise<RoundMemory['genuine']> {
  return (await loadRoundMemory(TARGET, file === null ? {} : { genuineFile: file }, handClock(at))).genuine;
}

describe('the memory of genuine chains', () => {
  test('keeps under which key a target was genuine, and when, over a restart', async () => {
    const file = fileOf(null);
    const memory = await loadGenuineMemory(file, now);
    expect(memory.of(TARGET)).toBeNull();
    memory.note(judged({}), now);
    expect(memory.of(TARGET)).toEqual({ pin: genuine.sub.pin, at: now });
    expect((await loadGenuineMemory(file, now)).of(TARGET)).toEqual({ pin: genuine.sub.pin, at: now });
  });

  test('writes at once what is new, and what is only newer once in five minutes', async () => {
    const file = fileOf(null);
    const memory = await loadGenuineMemory(file, now);
    const writtenAt = async (seen: Parameters<typeof judged>[0], at: number): Promise<unknown> => {
      memory.note(judged(seen), at);
      return file.content;
    };
    const at = (when: number, { pin } = genuine.sub): unknown => ({
      version: 1,
      targets: { [TARGET]: { pin, at: when } },
    });
    expect(await writtenAt({}, now)).toEqual(at(now));
    expect(await writtenAt({}, now + 299_999)).toEqual(at(now));
    expect(memory.of(TARGET)?.at).toBe(now + 299_999);
    expect(await writtenAt({}, now + 300_000)).toEqual(at(now + 300_000));
    expect(await writtenAt({}, now - 1)).toEqual(at(now - 1));
    const changed = { ...sees(w.byNewSub, w.newSub), trust: { ...w.trust, pins: [pinOf(w.newSub, 'configured')] } };
    expect(await writtenAt(changed, now)).toEqual(at(now, w.newSub));
  });

  test.each([
    { name: 'an interception', seen: sees(w.byCorporate) },
    { name: 'a new authority of the vendor', seen: sees(w.byNewSub, w.newSub) },
    { name: 'a public authority', seen: sees(w.publicLeaf, w.public.sub) },
    { name: 'an expired certificate', seen: { now: now + 400 * 86_400_000 } },
  ])('keeps what was before at $name', async ({ seen }) => {
    const file = fileOf(null);
    const memory = await loadGenuineMemory(file, now);
    memory.note(judged({}), now - 1_000);
    const before = structuredClone(file.content);
    memory.note(judged(seen), now);
    expect(file.content).toEqual(before);
    expect(memory.of(TARGET)?.at).toBe(now - 1_000);
  });

  test.each([
    null,
    'nonsense',
    { version: 2, targets: { [TARGET]: { pin: 'sha256/x', at: 1 } } },
    { version: 1, targets: { [TARGET]: { pin: 'sha256/x', at: 'x' } } },
    { version: 1, targets: { [TARGET]: { pin: 'sha256/x', at: now + 1 } } },
  ])('remembers nothing of a file that is not its own, nor of the future: %j', async (content) => {
    expect((await loadGenuineMemory(fileOf(content), now)).of(TARGET)).toBeNull();
  });

  test('works without a file', async () => {
    const memory = await loadGenuineMemory(null, now);
    memory.note(judged({}), now);
    expect(memory.of(TARGET)?.at).toBe(now);
  });
});
