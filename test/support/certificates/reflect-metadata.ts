/**
 * The four functions of the Reflect metadata proposal that the injection container in @peculiar/x509 calls while it
 * loads. Import this module before @peculiar/x509. The full polyfill would be an additional dependency for this
 * purpose only.
 */
const store = new WeakMap<object, Map<unknown, unknown>>();

function getOwn(key: unknown, target: object): unknown {
  return store.get(target)?.get(key);
}

function get(key: unknown, target: object): unknown {
  let current: object | null = target;
  while (current !== null) {
    const found = getOwn(key, current);
    if (found !== undefined) return found;
    const next: unknown = Object.getPrototypeOf(current);
    current = typeof next === 'object' || typeof next === 'function' ? next : null;
  }
  return undefined;
}

function define(key: unknown, value: unknown, target: object): void {
  const entries = store.get(target) ?? new Map<unknown, unknown>();
  entries.set(key, value);
  store.set(target, entries);
}

function metadata(key: unknown, value: unknown): (target: object) => void {
  return (target) => {
    define(key, value, target);
  };
}

if (!('getMetadata' in Reflect)) {
  Object.assign(Reflect, { defineMetadata: define, getMetadata: get, getOwnMetadata: getOwn, metadata });
}
