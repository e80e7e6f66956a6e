/** A file that breaks one rule, alone in a small project with this project's settings. */
export interface Sin {
  readonly path: string;
  readonly code: string;
  readonly rule: string;
}
