/** A resolver at the beginning of a sentence: `The resolver udp://10.0.0.53:53`. */
export function resolverNamed(resolver: string): string {
  return resolver === 'system' ? 'The resolver of this system' : `The resolver ${resolver}`;
}
