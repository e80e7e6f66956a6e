/** A file that breaks exactly one rule, in a small project with this project's settings. */
export interface Sin {
  readonly path: string;
  readonly code: string;
  readonly rule: string;
}
