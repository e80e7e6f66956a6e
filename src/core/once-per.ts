/**
 * Wraps a function so that its result is computed once per object and kept until the object is garbage-collected. Use
 * it for pure functions whose argument is immutable and whose result is needed in every round. An example is parsing a
 * configured list.
 */
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
