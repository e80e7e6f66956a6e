/** Computes a pure function once per immutable object, and keeps the result until the object is garbage-collected. */
export function oncePer<Key extends WeakKey, Value>(work: (key: Key) => Value): (key: Key) => Value {
  const known = new WeakMap<Key, { readonly value: Value }>();
  return (key) => {
    const kept = known.get(key);
    if (kept !== undefined) return kept.value;
    const value = work(key);
    known.set(key, { value });
    return value;
  };
}
