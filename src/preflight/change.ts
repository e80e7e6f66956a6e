/** One difference between before and after. `as-planned`: it is what the migration was to bring. */
export interface Change {
  readonly kind: 'as-planned' | 'to-do' | 'broken' | 'not-visible';
  readonly what: string;
  readonly means: string;
}
