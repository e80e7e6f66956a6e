import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { listenersIn } from './listeners.ts';

const ROOT = resolve(import.meta.dirname, '../..');
/** Above a test that makes listeners fail, such as `Listeners of network/connect.ts: once ready, on error 2`. */
const MARK = /^ *\/\/ Listeners of (?<path>\S+\.ts): (?<names>.+)$/gmu;

/** Returns every listener and callback of the network and of the log listeners, as `path: on error 2`. */
function listeners(): readonly string[] {
  return globSync('src/{network,logs}/**/*.ts', { cwd: ROOT }).flatMap((path) => {
    const names = listenersIn(path, readFileSync(join(ROOT, path), 'utf8'));
    return names.map((name, index) => {
      const same = names.slice(0, index + 1).filter((one) => one === name).length;
      return `${path.slice('src/'.length)}: ${name}${same === 1 ? '' : ` ${String(same)}`}`;
    });
  });
}

/** Returns the listeners that the tests name in their marks. */
function tested(): readonly string[] {
  return globSync('test/{unit,integration,e2e}/**/*.test.ts', { cwd: ROOT }).flatMap((file) =>
    [...readFileSync(join(ROOT, file), 'utf8').matchAll(MARK)].flatMap(({ groups = {} }) =>
      (groups['names'] ?? '').split(', ').map((name) => `${groups['path'] ?? ''}: ${name}`),
    ),
  );
}

test('finds listeners and callbacks, however they are written', () => {
  const text = `
    function onEnd(): void {}
    const guard = guarded(() => onEnd());
    socket.on('data', onEnd).once("end", onEnd);
    socket
      .prependListener(ready, () => {});
    signal.addEventListener('abort', onEnd, { once: true });
    await once(server, 'listening');
    socket.send(packet, (error) => error);
    socket.bind({ port: 0 }, guard);
    this.#socket.end(callback);
    clock.after(1, guarded(onEnd));
    setImmediate(() => onEnd());
    const item = list.find(() => true);
    fields.get(item); socket.connect(9, address); end(() => {}); lines.end;
  `;
  expect(listenersIn('a.ts', text)).toEqual([
    'on data',
    'once end',
    'prependListener ready',
    'addEventListener abort',
    'once listening',
    'callback of send',
    'callback of bind',
    'callback of end',
    'callback of after',
    'callback of setImmediate',
  ]);
});

/**
 * A listener fails for a real reason (no route, a closed port, no file descriptor, a peer that closes the connection, a
 * round that is cancelled), and the failure affects only its own operation.
 */
test('every listener and callback of the network and of the log listeners has a test that makes it fail', () => {
  expect(tested().toSorted(), 'Each needs one mark: "// Listeners of PATH: NAME, NAME 2"').toEqual(
    listeners().toSorted(),
  );
  expect(listeners().length).toBeGreaterThan(50);
});
