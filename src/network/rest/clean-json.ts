/**
 * What `JSON.parse` gave, with `withoutSecrets` done to every text and name in it: decoded, since escapes in the raw
 * text would hide a secret. Changes it in place, and without recursion: the peer decides how deep it is nested.
 */
export function cleanJson(root: unknown, withoutSecrets: (text: string) => string): unknown {
  const whole: unknown[] = [root];
  const waiting: object[] = [whole];

  function clean(value: unknown): unknown {
    if (typeof value === 'object' && value !== null) waiting.push(value);
    return typeof value === 'string' ? withoutSecrets(value) : value;
  }

  for (let holder = waiting.pop(); holder !== undefined; holder = waiting.pop()) {
    for (const name of Object.keys(holder)) {
      const value: unknown = Reflect.get(holder, name);
      const [shown, cleaned] = [Array.isArray(holder) ? name : withoutSecrets(name), clean(value)];
      if (shown === name && cleaned === value) continue;
      Reflect.deleteProperty(holder, name);
      // Not by assignment: a peer may name a field `__proto__`.
      Reflect.defineProperty(holder, shown, { value: cleaned, writable: true, enumerable: true, configurable: true });
    }
  }
  return whole[0];
}
